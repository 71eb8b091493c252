"""`carepost tracking`: whether opens and clicks are watched, what of them counts, and the figures."""

import argparse

from carepost.cli.office import entry

LEVELS = ("off", "asked", "on")
CATEGORIES = ("marketing", "operational", "transactional")
COUNTS = ("human", "not-automated", "all")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    entry.verb(verbs, "show", "what is watched, over which hosts, and what counts")
    change = entry.verb(verbs, "set", "watch opens or clicks of a category of mail, or stop it; off unless you say so")
    change.add_argument("category", choices=CATEGORIES)
    for name in ("opens", "clicks"):
        change.add_argument(
            f"--{name}", choices=LEVELS, help="asked: only messages that ask for it (default: as it is)"
        )
    change.add_argument(
        "--attestation", default="", metavar="WORDS",
        help="who vouches that these messages show nothing of a person's health, and why; needed to watch more",
    )  # fmt: skip
    count = entry.verb(verbs, "count", "what counts as opened and clicked, for the past too")
    count.add_argument("counts", choices=COUNTS)
    host = entry.verb(
        verbs, "host", "the host that links of a sender domain lead over; without one the portal's address"
    )
    host.add_argument("domain", metavar="DOMAIN")
    host.add_argument("host", metavar="HOST", nargs="?", default="")
    for one in (change, count, host):
        entry.reason(one)
    report = entry.verb(verbs, "report", "figures by day and category")
    report.add_argument("--days", type=int, default=30, metavar="N", help="1 to 400 (default: 30)")
    report.add_argument("--category", choices=CATEGORIES, default="")
    report.add_argument("--count", choices=COUNTS, help="(default: as the organisation counts)")


def run(args: argparse.Namespace) -> int:
    return entry.run("tracking", args)
