"""`carepost held list|release|refuse`: what waits for a person, and a person's word about it, on the machine itself."""

import argparse
import sys

import msgspec

from carepost.cli import local
from carepost.ground import clock, ids
from carepost.ground.errors import ConfigError, Unavailable
from carepost.policy.types import Method
from carepost.wire import doors
from carepost.wire.types import HeldView

#: what the engine answers where nothing was done -> why
_NOT_DONE = {
    "not-found": "There is no such delivery here.",
    "not-possible": "It is not held any more: somebody else was quicker.",
    "needs-another": "It waits for approval, which people give in the console, and never the sender.",
    "not-stronger": "That method protects less than what the rules decide, or cannot reach this person.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="what waits, newest held first")
    listing.add_argument("--limit", type=int, default=50, help="at most this many")
    local.add_arguments(listing)
    release = verbs.add_parser("release", help="let deliveries go, as the rules say at that moment")
    release.add_argument(
        "--method", choices=[m.value for m in Method], help="by this alone, where it protects at least as much"
    )
    refuse = verbs.add_parser("refuse", help="do not send them; their senders get a report")
    refuse.add_argument("--note", default="", help="told to the sender by mail; nothing of the message")
    for one in (release, refuse):
        one.add_argument("delivery", nargs="+", metavar="DELIVERY", help="as the list shows it")
        one.add_argument("--reason", required=True, help="why, in a few words (kept sealed)")
        local.add_arguments(one)


def run(args: argparse.Namespace) -> int:
    here = local.Local.of(args)
    org = here.organisation(args.org).id
    try:
        if args.verb == "list":
            call = doors.Held(org, local.ACTOR, limit=max(1, min(args.limit, 500)))
            return _list(here.client.held(call).deliveries, args.json)
        methods = (Method(args.method),) if args.verb == "release" and args.method else ()
        note = " ".join(args.note.split())[:500] if args.verb == "refuse" else ""
        chosen = tuple(_id(typed) for typed in args.delivery)
        states = here.client.act(args.verb, org, chosen, local.ACTOR, args.reason, (), methods, note)
    except Unavailable as error:
        raise local.running(error) from None
    if args.json:
        print(msgspec.json.encode(states).decode())
    for delivery, state in states.items():
        if state in _NOT_DONE:
            print(f"{delivery}: {_NOT_DONE[state]}", file=sys.stderr)
        elif not args.json:
            print(f"{delivery}  {'refused' if args.verb == 'refuse' else 'released'}")
    return 1 if set(_NOT_DONE) & set(states.values()) else 0


def _list(found: tuple[HeldView, ...], as_json: bool) -> int:
    if as_json:
        print(msgspec.json.encode(found).decode())
        return 0
    if not found:
        print("Nothing waits.")
    for one in found:
        until = f"until {clock.rfc3339(one.until)[:16]}Z, then {one.then}" if one.until else "without end"
        print(f"{one.id}  since {clock.rfc3339(one.since)[:16]}Z, {until}  to {one.recipient}\n    {one.words}")
    return 0


def _id(typed: str) -> bytes:
    try:
        return ids.parse(typed)
    except ValueError:
        raise ConfigError(f"{typed!r} is not a delivery id; `carepost held list` shows them.") from None
