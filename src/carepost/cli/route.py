"""`carepost route`: pinned next hops."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "send a domain's mail to one host, AUTHENTICATED when its certificate fits")
    add.add_argument("domain", metavar="DOMAIN")
    add.add_argument("host", metavar="HOST:PORT")
    add.add_argument("--ca", metavar="FILE", help="PEM of the CA to trust for it (default: the system's)")
    remove = entry.verb(verbs, "remove", "let DNS decide again")
    remove.add_argument("domain", metavar="DOMAIN")
    entry.reason(remove, required=False)
    entry.verb(verbs, "list", "all pinned next hops")


def run(args: argparse.Namespace) -> int:
    return entry.run("route", args)
