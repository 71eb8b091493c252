"""`carepost webhook`, inside Django."""

import argparse
import json
import uuid

import msgspec

from carepost.cli.office import common, entry
from carepost.ground import clock, ids
from carepost.ground.errors import ConfigError
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.webhooks import acts, select
from carepost.webhooks.acts import Made
from carepost.webhooks.calls.rows import Try
from carepost.webhooks.checking import CAREPOST, Agreement
from carepost.webhooks.filters import Filter
from carepost.webhooks.select import Shown

_FILTERS = (("event", "events"), ("category", "categories"), ("tag", "tags"), ("domain", "domains"))


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    if args.verb == "list":
        found = select.endpoints(org, COMMAND_LINE, now=clock.now())
        return entry.show([_row(one) for one in found], args, "No webhook is there.")
    if args.verb == "add":
        made = acts.add_endpoint(
            org, args.url, actor=COMMAND_LINE, name=args.name or "", format=args.format or CAREPOST,
            filter=_filter(Filter(), args),
        )  # fmt: skip
        return _told(made, "It is told from now on.", args)
    row = common.identifier(args.id, "a webhook")
    if args.verb in _READ:
        return _READ[args.verb](org, row, args)
    if args.verb == "set":
        one = select.endpoint(org, COMMAND_LINE, row, now=clock.now())
        acts.change_endpoint(
            org, row, actor=COMMAND_LINE, url=args.url, name=args.name, format=args.format,
            filter=_filter(one.filter, args),
        )  # fmt: skip
        return entry.done("Changed.", _row(select.endpoint(org, COMMAND_LINE, row, now=clock.now())), args)
    if args.verb == "rotate":
        made = acts.rotate_secret(org, row, actor=COMMAND_LINE, overlap=args.overlap)
        return _told(made, f"The old secret counts for {args.overlap} more hours.", args)
    return _act(org, row, args)


def _act(org: uuid.UUID, row: uuid.UUID, args: argparse.Namespace) -> int:
    named = {"id": str(row)}
    if args.verb == "pause":
        acts.pause(org, row, actor=COMMAND_LINE, reason=args.reason)
        return entry.done("It is told nothing until you resume it.", named, args)
    if args.verb == "resume":
        acts.resume(org, row, actor=COMMAND_LINE, catch_up=not args.skip)
        return entry.done("It is told again.", named, args)
    if args.verb == "test":
        event = acts.test(org, row, actor=COMMAND_LINE)
        return entry.done("It is told of a test; see its log.", {**named, "event": str(event)}, args)
    if args.verb == "replay":
        if bool(args.event) == bool(args.since):
            raise ConfigError("Name an event by --event, or a time by --since.")
        acts.replay(
            org, row, actor=COMMAND_LINE, event=args.event, since=_at(args.since), until=_at(args.until)
        )  # fmt: skip
        return entry.done("It is told again, under the same ids.", named, args)
    if args.verb == "agreement":
        return _agreement(org, row, args)
    acts.remove_endpoint(org, row, actor=COMMAND_LINE, reason=args.reason)
    return entry.done("It is told nothing any more.", {**named, "removed": True}, args)


def _agreement(org: uuid.UUID, row: uuid.UUID, args: argparse.Namespace) -> int:
    if args.end:
        acts.end_agreement(org, row, actor=COMMAND_LINE)
        return entry.done("Nothing personal is told there any more.", {"id": str(row), "personal": False}, args)
    given = Agreement(args.reference, args.date, args.party)
    acts.record_agreement(org, row, given, actor=COMMAND_LINE)
    return entry.done("It is told what is personal from now on.", {"id": str(row), "personal": True}, args)


def _show(org: uuid.UUID, row: uuid.UUID, args: argparse.Namespace) -> int:
    one = select.endpoint(org, COMMAND_LINE, row, now=clock.now())
    whole = {**_row(one), "filter": msgspec.to_builtins(one.filter), "keys": msgspec.to_builtins(one.keys)}
    if one.agreement is not None:
        whole["agreement"] = msgspec.to_builtins(one.agreement)
    if args.json:
        print(json.dumps(whole, indent=2))
        return 0
    for name, value in whole.items():
        print(f"{name.replace('_', ' ')}: {json.dumps(value) if isinstance(value, dict | list | tuple) else value}")
    return 0


def _log(org: uuid.UUID, row: uuid.UUID, args: argparse.Namespace) -> int:
    if not 1 <= args.limit <= 1000:
        raise ConfigError("--limit is a number from 1 to 1000.")
    found, _ = select.deliveries(org, COMMAND_LINE, row, result=args.result, limit=args.limit)
    return entry.show([_try(one) for one in found], args, "It was told nothing yet.")


_READ = {"show": _show, "log": _log}


def _told(made: Made, words: str, args: argparse.Namespace) -> int:
    result = {"id": str(made.endpoint), "secret": made.secret, "public": made.public, "sendgrid": made.sendgrid}
    sentence = (
        f"{words}\n  id: {made.endpoint}\n  secret (shown this once): {made.secret}\n  public key: {made.public}\n"
        f"  SendGrid verification key: {made.sendgrid}"
    )
    return entry.done(sentence, result, args)


def _filter(now: Filter, args: argparse.Namespace) -> Filter | None:
    given = {
        field: tuple(word for word in getattr(args, option) if word)
        for option, field in _FILTERS
        if getattr(args, option) is not None
    }
    return msgspec.structs.replace(now, **given) if given else None


def _at(text: str) -> int:
    return common.time(text) if text else 0


def _row(one: Shown) -> dict[str, object]:
    return {
        "id": one.id, "name": one.name, "url": one.url, "format": one.format, "state": one.state,
        "personal": one.agreement is not None, "waiting": one.waiting,
        "last_good": common.moment(one.calls.good_at), "last_status": one.calls.status or one.calls.code,
    }  # fmt: skip


def _try(one: Try) -> dict[str, object]:
    return {
        "at": common.moment(one.at), "kind": one.kind, "result": one.result, "status": one.status or one.code,
        "try": one.number, "ms": one.took_ms, "event": ids.text(one.event), "said": one.said,
    }  # fmt: skip
