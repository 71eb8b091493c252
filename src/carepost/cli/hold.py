"""`carepost hold`: legal holds on messages, which retention then leaves alone."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    place = entry.verb(verbs, "place", "keep a message's content until the hold is lifted")
    place.add_argument("message", metavar="MESSAGE", help="its number, as search and the console show it")
    entry.reason(place)
    entry.verb(verbs, "list", "legal holds: those in force first")
    lift = entry.verb(verbs, "lift", "let retention decide about the message again")
    lift.add_argument("id", metavar="ID", help="of the hold, as the list shows it")
    entry.reason(lift)


def run(args: argparse.Namespace) -> int:
    return entry.run("hold", args)
