"""`carepost suppression`: addresses nothing is sent to, and where bounces come back to."""

import argparse
from pathlib import Path

from carepost.cli.office import entry

#: as tenancy.actions.suppression has them, which needs Django
_CAUSES = ("bounce", "soft-bounces", "complaint", "unsubscribe", "request")
_STANDINGS = ("current", "ended", "all")
_SCOPES = ("all", "marketing", "operational", "transactional")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    some = entry.verb(verbs, "list", "the list, newest first; shown addresses are on record")
    some.add_argument("--address", default="", help="this address alone")
    some.add_argument("--cause", choices=_CAUSES, default="", help="of this cause alone")
    some.add_argument("--scope", choices=_SCOPES, default="", help="of this scope alone")
    some.add_argument(
        "--standing",
        choices=_STANDINGS,
        default="current",
        help="what keeps back now (current), whose end has passed, all",
    )
    some.add_argument("--limit", type=int, default=100, help="rows at most (100)")
    add = entry.verb(verbs, "add", "send nothing to an address")
    add.add_argument("address", metavar="ADDRESS")
    add.add_argument("--scope", default="all", help="all, marketing, operational or transactional")
    add.add_argument("--cause", default="request", help="bounce, soft-bounces, complaint, unsubscribe or request")
    add.add_argument("--until", default="", metavar="TIME", help="as 2026-12-01T00:00Z (default: without an end)")
    add.add_argument("--note", default="", help="words for the record (sealed)")
    remove = entry.verb(verbs, "remove", "send to an address again")
    remove.add_argument("address", metavar="ADDRESS")
    remove.add_argument("--scope", default="", help="of this scope alone")
    entry.reason(remove)
    bring = entry.verb(verbs, "import", "take addresses from a file: CSV with a header, or lines of JSON")
    bring.add_argument("file", metavar="FILE", type=Path)
    bring.add_argument("--cause", choices=_CAUSES, default="request", help="of lines that name none (request)")
    bring.add_argument("--dry-run", action="store_true", help="say what would happen, change nothing")
    bring.add_argument(
        "--job", action="store_true", help="in the background, up to 2,000,000 lines; see: carepost job show ID"
    )
    tried = entry.verb(verbs, "import-tried", "import what a dry run in the background looked at")
    tried.add_argument("id", metavar="ID", help="number of that job")
    back = entry.verb(
        verbs, "import-undo", "take off again what an import in the background put on the list (for a week)"
    )
    back.add_argument("id", metavar="ID", help="number of that job")
    entry.reason(back)
    give = entry.verb(verbs, "export", "write all that is kept back to a file, a line of JSON each")
    give.add_argument("file", metavar="FILE", type=Path)
    rates = entry.verb(verbs, "complaints", "complaints and unsubscribes, by provider and day")
    rates.add_argument("--days", type=int, default=30, help="of so many days (30)")
    path = entry.verb(verbs, "return-path", "the domain bounces come back to, below a sender domain; without one: show")
    path.add_argument("domain", metavar="DOMAIN", nargs="?", default="")
    path.add_argument("--smtp", choices=("yes", "no"), default="", help="also of mail by SMTP, whose senders are told")
    path.add_argument("--remove", action="store_true", help="take it away")
    path.add_argument("--reason", default="", help="why (kept with the event)")


def run(args: argparse.Namespace) -> int:
    return entry.run("suppression", args)
