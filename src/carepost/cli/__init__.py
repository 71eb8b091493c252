"""The command line: `carepost COMMAND …`; each command is a module found by name.

Never touches a file of a running home itself: it goes through the running processes, or takes the locks.
A command module has `add_arguments(parser)` and `run(args) -> int`; `HELP` is its line in the list.
"""
