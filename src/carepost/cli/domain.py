"""`carepost domain`: sender domains, their DKIM keys, the records to publish, and what DNS says of them."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "add a sender domain with its DKIM pair")
    add.add_argument("--unit", metavar="UNIT", help="the unit it belongs to")
    _algorithms(add, "both")
    remove = entry.verb(verbs, "remove", "take a sender domain away: nothing is accepted from it any more")
    entry.reason(remove)
    records = entry.verb(verbs, "records", "the DKIM records to publish")
    check = entry.verb(verbs, "check", "ask DNS now; exit 1 while something that mail needs is missing or different")
    history = entry.verb(verbs, "history", "how its records stood week by week, what was reported, and what changed")
    history.add_argument("--days", type=int, default=84, metavar="N", help="up to today (1 to 366, default 84)")
    rotate = entry.verb(
        verbs, "rotate", "make the next DKIM keys: publish them, then switch; nothing signs with them yet"
    )
    _algorithms(rotate, "")
    switch = entry.verb(verbs, "switch", "sign with the next keys from now on; only where DNS shows them")
    revoke = entry.verb(verbs, "revoke", "revoke a DKIM key: its record is to be published empty")
    entry.reason(revoke)
    schedule = entry.verb(verbs, "schedule", "make the next keys by themselves, with a letter")
    schedule.add_argument("--days", type=int, metavar="N", help="every so many days (30 to 730); 0: never")
    schedule.add_argument("--keep", type=int, metavar="N", help="days a former key stays published (5 to 365)")
    policy = entry.verb(verbs, "mta-sts", "serve an MTA-STS policy for the domain")
    for made in (add, remove, rotate, records, check, history, switch, revoke, schedule, policy):
        made.add_argument("domain", metavar="DOMAIN")
    revoke.add_argument("selector", metavar="SELECTOR")
    policy.add_argument("mode", choices=("testing", "enforce", "none", "off"), help="off: no policy is served here")
    policy.add_argument(
        "--mx", action="append", default=[], metavar="HOST", help="a mail server of the domain; may repeat"
    )
    policy.add_argument(
        "--max-age", type=int, default=604_800, metavar="SECONDS", help="how long it lives (default a week)"
    )
    entry.verb(verbs, "list", "all sender domains")


def _algorithms(verb: argparse.ArgumentParser, default: str) -> None:
    said = "default both" if default else "default those in use"
    verb.add_argument(
        "--dkim", choices=("both", "rsa", "ed25519"), default=default,
        help=f"algorithms that sign ({said}; RSA for every receiver, Ed25519 for those that know it)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    return entry.run("domain", args)
