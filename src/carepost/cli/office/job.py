"""`carepost job`, inside Django."""

import argparse
import json
import uuid
from typing import Final

import msgspec

from carepost.cli.office import common, entry, message
from carepost.ground.errors import ConfigError
from carepost.jobs import acts, select
from carepost.jobs.foreseen import foreseen
from carepost.jobs.types import IMPORTS, Asked, Kind, View
from carepost.tenancy.permissions import COMMAND_LINE

#: what its `made` counts
_MADE: Final = {
    Kind.RETRY: "recipients tried again", Kind.RETRACT: "recipients taken back from",
    Kind.RESEND: "recipients it was sent to again", Kind.MESSAGES: "rows written", Kind.EVENTS: "rows written",
    Kind.IMPORT: "addresses added", Kind.TRY: "addresses that would be added",
    Kind.UNDO: "addresses taken off again",
}  # fmt: skip
#: what its `seen` counts
_LOOKED: Final = {Kind.EVENTS: "events", Kind.IMPORT: "lines", Kind.TRY: "lines", Kind.UNDO: "lines"}


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        return _list(org, args)
    if args.verb == "start":
        return _start(org, args)
    job = common.identifier(args.id, "a job")
    if args.verb == "result":
        return _result(org, job, args)
    if args.verb == "cancel":
        return _say(acts.cancel(org, job, actor=COMMAND_LINE), args)
    return _say(select.one(org, job, COMMAND_LINE), args)


def _list(org: uuid.UUID, args: argparse.Namespace) -> int:
    found = select.listing(org, COMMAND_LINE)
    if args.json:
        print(json.dumps([msgspec.to_builtins(one) for one in found], indent=2))
        return 0
    rows = [
        {"begun": common.moment(one.created_at), "id": one.id, "kind": one.kind, "state": one.state, "seen": one.seen,
         "made": one.made, "cause": one.cause}
        for one in found
    ]  # fmt: skip
    return entry.show(rows, args, "There is no job of the last day.")


def _start(org: uuid.UUID, args: argparse.Namespace) -> int:
    kind, wanted = Kind(args.kind), message.wanted(org, args)
    if args.count:
        seen = foreseen(org, COMMAND_LINE, wanted)
        count = seen.deliveries.get(kind.value, 0)
        said = f"{seen.messages} {'message fits' if seen.messages == 1 else 'messages fit'}"
        if kind.value in seen.deliveries:
            said += f"; it would act for {count} {'recipient' if count == 1 else 'recipients'}"
        said += " of those counted so far: there are more." if seen.more else "."
        return entry.done(said, {"messages": seen.messages, "recipients": count, "more": seen.more}, args)
    if kind in acts.ACTS and not args.reason.strip():
        raise ConfigError("Say why: --reason. It stands with each message that the job acts upon.")
    asked = Asked(wanted, args.reason.strip(), args.form, args.opened, args.as_today and kind is Kind.RESEND)
    return _say(acts.begin(org, kind, asked, actor=COMMAND_LINE), args)


def _result(org: uuid.UUID, job: uuid.UUID, args: argparse.Namespace) -> int:
    size = 0
    with common.new_file(args.output) as out:
        _, pieces = acts.access_result(org, job, actor=COMMAND_LINE)
        for piece in pieces:
            size += out.write(piece)
    return entry.done(f"Written to {args.output}.", {"id": str(job), "file": args.output, "size": size}, args)


def _say(view: View, args: argparse.Namespace) -> int:
    looked = _LOOKED.get(Kind(view.kind), "messages")
    if view.total:
        looked = f"of {view.total} {looked}"
    said = (
        f"Job {view.id} ({view.kind}) is {view.state}: {view.seen} {looked} looked at, {view.made} "
        f"{_MADE[Kind(view.kind)]}."
    )
    if view.kind in IMPORTS:
        said += f" {view.known} were there already, {view.wrong} wrong."
    if view.kind == Kind.RESEND and view.wrong:
        said += f" {view.wrong} messages could not be sent again: their content is no longer held here."
    if view.cause:
        said += f" It failed: {view.cause}."
    if view.state in acts.OPEN:
        said += f"\nThe journal goes on with it while Carepost runs. See: carepost job show {view.id}"
    return entry.done(said, msgspec.to_builtins(view), args)
