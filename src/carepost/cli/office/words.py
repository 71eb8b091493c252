"""`carepost words`, inside Django."""

import argparse
import uuid
from collections.abc import Mapping

import msgspec

from carepost.cli.compose import read_text
from carepost.cli.office import common, entry
from carepost.detection import acts, entries, looking, select
from carepost.detection.entries import Entry, Recipient, Sender
from carepost.mailbox import door
from carepost.phi.explain import name, place
from carepost.phi.types import Exemption, Pattern, Score, Strength, Word
from carepost.tenancy.permissions import COMMAND_LINE


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    looks = {"list": _list, "try": _try, "reports": _reports, "counts": _counts}
    if args.verb in looks:
        return looks[args.verb](org, args)
    if args.verb == "add":
        told = _entry(args)
        made = acts.put(org, told, actor=COMMAND_LINE, reason=args.reason)
        warning = entries.warns(told, select.own_domains(org))
        said = f"It holds from the next message on (version {made.number}). {warning}".strip()
        return entry.done(said, {"version": made.number} | ({"warning": warning} if warning else {}), args)
    if args.verb == "remove":
        made = acts.remove(org, args.name, actor=COMMAND_LINE, reason=args.reason)
        return entry.done(f"It is gone (version {made.number}).", {"version": made.number}, args)
    report, exception = common.identifier(args.id, "a report"), args.verb == "except"
    acts.settle(org, report, exception=exception, actor=COMMAND_LINE, reason=args.reason)
    said = "This value does not count any more." if exception else "The report is put aside; this value counts."
    return entry.done(said, {"id": str(report), "excepted": exception}, args)


def _entry(args: argparse.Namespace) -> Entry:
    score = Score.IDENTIFIER if args.identifier else Score.HEALTH
    strength = Strength.STRONG if args.alone else Strength.WEAK
    made: dict[str, Entry] = {
        "word": Word(args.name, args.text, score, strength),
        "pattern": Pattern(args.name, args.text, score, strength, tuple(args.near)),
        "phrase": Exemption(args.name, phrase=args.text),
        "form": Exemption(args.name, pattern=args.text),
        "kind": Exemption(args.name, kind=args.text),
        "sender": Sender(args.name, args.text),
        "recipient": Recipient(args.name, args.text),
    }
    return made[args.what]


def _list(org: uuid.UUID, args: argparse.Namespace) -> int:
    found = entries.named(select.access_words(org, COMMAND_LINE))
    ours = select.own_domains(org)
    rows = [
        {
            "name": called,
            "kind": entries.what(one),
            "says": ". ".join(said for said in (entries.says(one), entries.warns(one, ours)) if said),
        }
        for called, one in found.items()
    ]
    return entry.show(rows, args, "Nothing of the organisation's own; detection works without.")


def _try(org: uuid.UUID, args: argparse.Namespace) -> int:
    found = looking.tried(org, args.subject, read_text(args.file), COMMAND_LINE, door.client)
    if not args.json:
        level = found.findings.level_individual.word if found.findings is not None else "unknown"
        print(f"Level for a person outside: {level}" + (f" (not read: {', '.join(found.unread)})" * bool(found.unread)))
    rows: list[Mapping[str, object]] = [
        {
            "found": name(one.kind),
            "masked": one.masked,
            "where": place(one.where, one.number, one.line),
            "weight": "alone" if one.strength is Strength.STRONG else "with others",
        }
        for one in found.shown
    ]
    return entry.show(rows, args, "Nothing was found.")


def _reports(org: uuid.UUID, args: argparse.Namespace) -> int:
    rows = [
        {
            "id": one.id, "found": name(one.kind), "masked": one.masked, "where": one.place, "times": one.times,
            "last": common.moment(one.last_at), "state": one.state,
        }
        for one in select.access_reports(org, COMMAND_LINE)
    ]  # fmt: skip
    return entry.show(rows, args, "Nobody called a finding wrong.")


def _counts(org: uuid.UUID, args: argparse.Namespace) -> int:
    rows = [msgspec.structs.asdict(one) for one in select.counts(org, COMMAND_LINE)]
    return entry.show(rows, args, "Nobody called a finding wrong.")
