"""`carepost suppression`, inside Django."""

import argparse
import uuid
from typing import Final

import msgspec

from carepost.archive import complaints
from carepost.cli.office import common, entry
from carepost.destinations import returnpaths, suppressions
from carepost.destinations.suppressions import Suppressed
from carepost.ground import clock
from carepost.ground.errors import ConfigError
from carepost.jobs import importing, undoing
from carepost.jobs.types import View
from carepost.tenancy.actions import suppression
from carepost.tenancy.permissions import COMMAND_LINE

_DAY_US: Final = 86_400_000_000
_BLOCK: Final = 262_144


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        found = suppressions.page(
            org.bytes, COMMAND_LINE, address=args.address, reason=args.cause, scope_=args.scope,
            standing=args.standing, limit=args.limit,
        )  # fmt: skip
        return entry.show([_row(row) for row in found.rows], args, "Nobody is on the list.")
    if args.verb == "add":
        ends = common.time(args.until) if args.until else 0
        if ends and ends <= clock.now():
            raise ConfigError("--until has passed already: nothing would be kept back.")
        added = suppression.suppress(
            org, args.address, actor=COMMAND_LINE, reason=args.cause, scope=args.scope, expires_at=ends, note=args.note
        )
        said = "The address is on the list." if added else "It was on the list already."
        return entry.done(said, {"added": added}, args)
    if args.verb == "remove":
        suppression.unsuppress(org, args.address, actor=COMMAND_LINE, reason=args.reason, scope=args.scope)
        return entry.done("The address is off the list.", {"removed": True}, args)
    if args.verb == "import":
        return _import(org, args)
    if args.verb == "import-tried":
        job = common.identifier(args.id, "a job")
        return _begun(importing.begin_tried(org, job, actor=COMMAND_LINE), args)
    if args.verb == "import-undo":
        job = common.identifier(args.id, "a job")
        return _begun(undoing.begin(org, job, actor=COMMAND_LINE, reason=args.reason), args)
    if args.verb == "export":
        return _export(org, args)
    if args.verb == "complaints":
        return _complaints(org, args)
    return _return_path(org, args)


def _complaints(org: uuid.UUID, args: argparse.Namespace) -> int:
    now = clock.now()
    since = now - max(0, args.days - 1) * _DAY_US
    found = complaints.days(org.bytes, COMMAND_LINE, since=since, until=now)
    rows: list[dict[str, object]] = [
        {
            "day": one.date, "provider": one.name, "sent": one.sent, "complaints": one.complaints,
            "rate": f"{one.rate:.2%}", "unsubscribes": one.unsubscribes, "look": one.level,
        }
        for one in found.rows
    ]  # fmt: skip
    return entry.show(rows, args, "Nobody complained or unsubscribed in these days, as far as providers tell us.")


def _import_job(org: uuid.UUID, args: argparse.Namespace) -> int:
    try:
        with open(args.file, "rb") as file:
            form = "ndjson" if file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" else "csv"
            file.seek(0)
            blocks = iter(lambda: file.read(_BLOCK), b"")
            begun = importing.begin(org, blocks, actor=COMMAND_LINE, form=form, dry_run=args.dry_run, cause=args.cause)
    except OSError as error:
        raise ConfigError(f"{args.file} cannot be read: {error.strerror}.") from None
    return _begun(begun, args)


def _begun(view: View, args: argparse.Namespace) -> int:
    said = f"Job {view.id} has begun: {view.total} lines. See: carepost job show {view.id}"
    return entry.done(said, msgspec.to_builtins(view), args)


def _import(org: uuid.UUID, args: argparse.Namespace) -> int:
    if args.job:
        return _import_job(org, args)
    done = suppressions.import_(
        org.bytes, COMMAND_LINE, args.file.read_bytes(), dry_run=args.dry_run, reason=args.cause
    )
    how = "would be added" if args.dry_run else "added"
    said = f"{done.lines} lines: {done.added} {how}, {done.known} known, {done.failed} wrong."
    if not args.json:
        for line, what in done.wrong:
            print(f"line {line}: {what}")
    result = {"lines": done.lines, "added": done.added, "known": done.known, "failed": done.failed}
    return entry.done(said, result | {"wrong": list(done.wrong)}, args)


def _export(org: uuid.UUID, args: argparse.Namespace) -> int:
    """Into a new file that its owner alone can read: it holds addresses."""
    lines = 0
    with common.new_file(args.file) as file:
        for part in suppressions.export(org.bytes, COMMAND_LINE):
            lines += part.count(b"\n")
            file.write(part)
    return entry.done(f"{lines} addresses are in {args.file.name}.", {"lines": lines}, args)


def _return_path(org: uuid.UUID, args: argparse.Namespace) -> int:
    if args.remove:
        returnpaths.remove(org, actor=COMMAND_LINE, reason=args.reason)
    elif args.domain:
        smtp = args.smtp == "yes" if args.smtp else None
        returnpaths.put(org, args.domain, actor=COMMAND_LINE, reason=args.reason, smtp=smtp)
    now, too = returnpaths.current(org), returnpaths.of_smtp(org)
    said = f"Bounces come back to {now}: its MX must lead here." if now else "Bounces go to each message's sender."
    if too:
        said += " Those of mail by SMTP too: their senders are told."
    return entry.done(said, {"domain": now, "smtp": too}, args)


def _row(row: Suppressed) -> dict[str, object]:
    return {
        "address": row.address,
        "scope": row.scope,
        "reason": row.reason,
        "source": row.source,
        "since": common.moment(row.at),
        "until": common.moment(row.expires_at),
        "note": row.note,
    }
