"""`carepost domain`: sender domains, each with its DKIM pair and the records to publish."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "add a sender domain with its DKIM pair")
    add.add_argument("--unit", metavar="UNIT", help="the unit it belongs to")
    add.add_argument(
        "--dkim", choices=("both", "rsa", "ed25519"), default="both",
        help="algorithms that sign (default both: RSA for every receiver, Ed25519 for those that know it)",
    )  # fmt: skip
    remove = entry.verb(verbs, "remove", "take a sender domain away: nothing is accepted from it any more")
    entry.reason(remove)
    rotate = entry.verb(verbs, "rotate", "make a new DKIM pair; the old one signs nothing more")
    records = entry.verb(verbs, "records", "the TXT records to publish")
    for made in (add, remove, rotate, records):
        made.add_argument("domain", metavar="DOMAIN")
    entry.verb(verbs, "list", "all sender domains")


def run(args: argparse.Namespace) -> int:
    return entry.run("domain", args)
