"""`carepost credential`: SMTP credentials. The password is shown once."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", 'make a credential; prints {"username", "password"}')
    add.add_argument("name", metavar="NAME", help="what it is for")
    add.add_argument("--domain", action="append", default=[], metavar="DOMAIN", help="sender domains (default: all)")
    add.add_argument("--owner", metavar="EMAIL", help="the person it acts for: it ends with them")
    entry.verb(verbs, "list", "all credentials in use")
    revoke = entry.verb(verbs, "revoke", "end a credential")
    revoke.add_argument("username", metavar="USERNAME")
    entry.reason(revoke, required=False)


def run(args: argparse.Namespace) -> int:
    return entry.run("credential", args)
