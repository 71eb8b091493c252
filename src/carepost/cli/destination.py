"""`carepost destination`: where mail goes, what the other side proves, what changed."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    some = entry.verb(verbs, "list", "the domains mail goes to, those that need attention first")
    some.add_argument("--attention", action="store_true", help="only those")
    one = entry.verb(verbs, "show", "one domain: its mail servers as last met, and what changed")
    one.add_argument("domain", metavar="DOMAIN")


def run(args: argparse.Namespace) -> int:
    return entry.run("destination", args)
