"""`carepost key`: API keys. The secret is shown once."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", 'make a key; prints {"id", "secret"}')
    add.add_argument("name", metavar="NAME", help="what it is for")
    add.add_argument("--scope", action="append", required=True, metavar="SCOPE", help="may be given several times")
    add.add_argument("--owner", metavar="EMAIL", help="the person it acts for: it ends with them")
    add.add_argument(
        "--per-minute",
        type=int,
        default=0,
        metavar="N",
        help="requests or messages it may ask (default: no limit of its own)",
    )
    limit = entry.verb(verbs, "limit", "how much a key may ask from now on")
    limit.add_argument("id", metavar="ID")
    words = "requests or messages a minute; 0: no limit of its own"
    limit.add_argument("per_minute", type=int, metavar="N", help=words)
    entry.verb(verbs, "list", "all keys in use")
    revoke = entry.verb(verbs, "revoke", "end a key")
    revoke.add_argument("id", metavar="ID")
    entry.reason(revoke, required=False)


def run(args: argparse.Namespace) -> int:
    return entry.run("key", args)
