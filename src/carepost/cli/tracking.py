"""`carepost tracking`: whether opens and clicks are watched, what of them counts, and the figures."""

import argparse

from carepost.cli.office import entry

LEVELS = ("off", "asked", "on")
CATEGORIES = ("marketing", "operational", "transactional")
COUNTS = ("human", "not-automated", "all")
MEANINGS = ("scanner", "office", "filter", "vpn", "data-centre")


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
    _network(verbs)
    report = entry.verb(verbs, "report", "figures by day and category")
    report.add_argument("--days", type=int, default=30, metavar="N", help="1 to 400 (default: 30)")
    report.add_argument("--category", choices=CATEGORIES, default="")
    report.add_argument("--count", choices=COUNTS, help="(default: as the organisation counts)")


def _network(verbs: "entry.Verbs[argparse.ArgumentParser]") -> None:
    network = verbs.add_parser(
        "network", help="networks you know: your scanner, offices, VPN; counts for what comes from now on"
    )
    acts = network.add_subparsers(dest="act", required=True, metavar="VERB")
    add = entry.verb(acts, "add", "name a network, or say otherwise of one")
    remove = entry.verb(acts, "remove", "not known any more; the table that ships decides again")
    listed = entry.verb(acts, "list", "the organisation's own, and those of the installation")
    for one in (add, remove):
        one.add_argument("network", metavar="CIDR", help="192.0.2.0/24, 2001:db8::/32, or one address")
    add.add_argument("means", choices=MEANINGS, help="what it is; an office is people, a scanner is a machine")
    add.add_argument("--note", default="", metavar="WORDS", help="whose it is, for those who read the list")
    for one in (add, remove, listed):
        one.add_argument("--everywhere", action="store_true", help="for every organisation of this installation")
    for one in (add, remove):
        entry.reason(one, required=False)


def run(args: argparse.Namespace) -> int:
    return entry.run("tracking", args)
