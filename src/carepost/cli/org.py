"""`carepost org`: organisations, their settings and keys."""

import argparse

from carepost.cli.office import entry

#: setting -> what the help says
SETTINGS = {
    "notice-name": "what notices are signed with; it must not tell what kind of care is given",
    "phone": "phone number printed in notices",
    "auditor": "address that gets the daily signed checkpoint",
    "alerts": "address that is told when a destination loses protection or a key changes or ends",
    "portal-url": "where recipients find the portal",
    "portal-address": "address replies from the portal come from",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    add = entry.verb(verbs, "add", "make an organisation with its keys and first policy", org=False)
    add.add_argument("slug", metavar="SLUG", help="short name for commands, e.g. willow")
    add.add_argument("--name", required=True, help="the name people see")
    add.add_argument(
        "--portal-by-mail",
        action="store_true",
        help="let a code sent by e-mail alone open the portal (rule portal-by-mail)",
    )
    entry.verb(verbs, "list", "all organisations", org=False)
    entry.verb(verbs, "show", "one organisation's settings")
    change = entry.verb(verbs, "set", "change settings")
    change.add_argument("--name")
    change.add_argument("--floor", choices=["VERIFIED", "AUTHENTICATED", "MESSAGE"], help="the least any message needs")
    change.add_argument("--patience", type=int, metavar="SECONDS", help="before the plan's next method (default 4 h)")
    change.add_argument(
        "--keep-content", type=int, metavar="DAYS", help="how long content stays readable (default 2192; 0: for ever)"
    )
    entry.reason(change, required=False)
    for made in (add, change):
        for setting, words in SETTINGS.items():
            made.add_argument(f"--{setting}", help=words)
    close = entry.verb(verbs, "close", "close an organisation: nothing is accepted or sent any more")
    entry.reason(close)
    entry.verb(verbs, "keys", "the keys by purpose and version, and what still stands under an older one")
    rotate = entry.verb(verbs, "rotate-key", "make a new version of a key; the old one still opens what it sealed")
    rotate.add_argument("purpose", choices=["content", "portal", "evidence", "index", "signing"])
    rotate.add_argument(
        "--at",
        default="",
        metavar="TIME",
        help="index: the moment it serves from, as 2026-12-01T00:00Z (default: soon)",
    )
    entry.reason(rotate)


def run(args: argparse.Namespace) -> int:
    return entry.run("org", args)
