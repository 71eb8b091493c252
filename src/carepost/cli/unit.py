"""`carepost unit`: units of an organisation; their settings reach their sender domains."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "add a unit")
    change = entry.verb(verbs, "set", "change a unit's settings")
    for made in (add, change):
        made.add_argument("name", metavar="NAME")
        made.add_argument("--notice-name", help='what its notices are signed with; "" inherits the organisation\'s')
        made.add_argument("--phone", help='phone number in its notices; "" inherits the organisation\'s')
    entry.verb(verbs, "list", "all units")


def run(args: argparse.Namespace) -> int:
    return entry.run("unit", args)
