"""`carepost job`: work on all messages that fit a search, and exports. The same jobs as of console and API; the journal
does them while Carepost runs."""

import argparse

from carepost.cli import message
from carepost.cli.office import entry

#: jobs.types.Kind, but for those that begin with a file (carepost suppression import --job)
KINDS = ("retry", "retract", "resend", "export-messages", "export-events")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    entry.verb(verbs, "list", "the jobs of the last day, newest first")
    one = entry.verb(verbs, "show", "how far a job is")
    one.add_argument("id", metavar="ID")
    start = entry.verb(verbs, "start", "begin one; first look how many with --count")
    start.add_argument("kind", metavar="KIND", choices=KINDS, help=", ".join(KINDS))
    message.search_arguments(start)
    start.add_argument("--all", action="store_true", help="also notices and reports that Carepost made itself")
    start.add_argument("--form", choices=("ndjson", "csv"), default="ndjson", help="of an export (default: ndjson)")
    start.add_argument("--opened", action="store_true", help="of export-events: also what is personal")
    start.add_argument("--as-today", action="store_true", help="of resend: by today's rules, also where they ask less")
    start.add_argument("--count", action="store_true", help="say how many it would act upon, and begin nothing")
    entry.reason(start, required=False)
    cancel = entry.verb(verbs, "cancel", "end a job; what it did so far stays done")
    cancel.add_argument("id", metavar="ID")
    result = entry.verb(verbs, "result", "write what an export made, or what an import found wrong, into a file")
    result.add_argument("id", metavar="ID")
    result.add_argument("-o", "--output", metavar="FILE", required=True, help="a file that is not there yet")


def run(args: argparse.Namespace) -> int:
    return entry.run("job", args)
