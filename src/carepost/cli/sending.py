"""`carepost sending`: how mail leaves, what holds it back, sending addresses, pools, limits."""

import argparse

from carepost.cli.office import entry

_NUMBERS = (
    ("connections", "connections at once"), ("messages", "messages on one connection"),
    ("per-minute", "messages a minute"), ("per-hour", "messages an hour"), ("dials", "connections opened a minute"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    entry.verb(verbs, "show", "providers and addresses as they are used now, and what is held back until when")
    entry.verb(verbs, "addresses", "sending addresses, their pools and warm-up")
    pool = entry.verb(verbs, "add-pool", "a pool: which mail leaves by its addresses")
    pool.add_argument("name", metavar="NAME")
    pool.add_argument(
        "--stream", action="append", default=[], help="system, transactional, operational or bulk (default: all)"
    )
    pool.add_argument("--domain", default="", help="only mail from this sender domain")
    gone = entry.verb(verbs, "remove-pool", "remove an empty pool")
    gone.add_argument("name", metavar="NAME")
    entry.reason(gone)
    add = entry.verb(verbs, "add-address", "put an address of this machine into a pool")
    add.add_argument("ip", metavar="IP")
    add.add_argument("pool", metavar="POOL")
    add.add_argument("--helo", default="", help="the host name it answers to (default: the system's)")
    add.add_argument("--known", action="store_true", help="it is no new address: no warm-up")
    add.add_argument("--usual", type=int, default=0, help="messages a day to one provider at which a warm-up ends")
    change = entry.verb(verbs, "change-address", "use it, empty it, pause it, move it")
    change.add_argument("ip", metavar="IP")
    change.add_argument("--state", default="", help="active, draining or paused")
    change.add_argument("--pool", default="")
    change.add_argument("--helo", default=None)
    entry.reason(change)
    remove = entry.verb(verbs, "remove-address", "take an address away")
    remove.add_argument("ip", metavar="IP")
    entry.reason(remove)
    limit = entry.verb(verbs, "limit", "limits of your own at a provider; without any, the table's again")
    limit.add_argument("provider", metavar="PROVIDER", help="gmail, yahoo, … or the domain of mail servers")
    for name, words in _NUMBERS:
        limit.add_argument(f"--{name}", type=int, default=0, help=words)
    entry.reason(limit)
    ahead = entry.verb(verbs, "ahead", "how far ahead messages may be scheduled; without a number: show")
    ahead.add_argument("days", metavar="DAYS", type=int, nargs="?", default=0, help="1 to 366 (default 31)")
    ahead.add_argument("--reason", default="", help="why (kept with the event)")
    lift = entry.verb(verbs, "lift", "send to a provider again that asked for less")
    lift.add_argument("provider", metavar="PROVIDER")
    lift.add_argument("--source", default="", help="the sending address (default: the system's own)")
    entry.reason(lift)


def run(args: argparse.Namespace) -> int:
    return entry.run("sending", args)
