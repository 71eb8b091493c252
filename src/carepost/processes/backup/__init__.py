"""One file that holds a home as of one moment, and a home made from it again. `carepost backup`, `carepost restore`.

Never contains the keyring; never stops or slows the processes by more than one commit of the journal; never sends again
what was waiting when the backup was made: a restored home holds it until a person releases it.
Doors: make.backup(home, keys, target, …), restore.restore(source, path, …), restore.check(source, …).
"""
