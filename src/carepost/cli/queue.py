"""`carepost queue list|hold|release|retry`: the deliveries that wait, and a person's word about them."""

import argparse
import sys

import msgspec

from carepost.cli import local
from carepost.ground import clock, ids
from carepost.ground.errors import ConfigError, Unavailable
from carepost.queue.restored import REASON
from carepost.wire.types import DeliveryView, MessageView

VERBS = ("hold", "release", "retry")
#: deliveries asked for at once
_GROUP = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="what waits or is held, newest first")
    listing.add_argument("--state", default="", help="queued, deferred or held (default: all that wait)")
    listing.add_argument("--limit", type=int, default=50, help="at most this many messages")
    local.add_arguments(listing)
    for verb in VERBS:
        one = verbs.add_parser(verb, help=f"{verb} deliveries, with a reason that goes on record")
        one.add_argument("delivery", nargs="*", metavar="DELIVERY", help="delivery id")
        if verb == "release":
            one.add_argument("--restored", action="store_true", help="all that a restore from a backup held")
        one.add_argument("--reason", required=True, help="why, in a few words (kept sealed)")
        local.add_arguments(one)


def run(args: argparse.Namespace) -> int:
    here = local.Local.of(args)
    org = here.organisation(args.org)
    try:
        if args.verb == "list":
            return _list(here.client.listing(org.id, args.state, args.limit), args.json)
        if args.verb == "release" and args.restored:
            return _release_restored(here, org.id, args)
        deliveries = tuple(_id(typed) for typed in args.delivery)
        if not deliveries:
            raise ConfigError("Name the deliveries by their ids; `carepost queue list` shows them.")
        states = here.client.act(args.verb, org.id, deliveries, local.ACTOR, args.reason)
    except Unavailable as error:
        raise local.running(error) from None
    if args.json:
        print(msgspec.json.encode(states).decode())
    else:
        for delivery, state in states.items():
            print(f"{delivery}  {state}")
    if "needs-another" in states.values():
        print("It waits for approval, which people give in the console, and never the sender.", file=sys.stderr)
    return 0 if not {"not-found", "not-possible", "needs-another"} & set(states.values()) else 1


def _release_restored(here: local.Local, org: bytes, args: argparse.Namespace) -> int:
    """Group by group, until none is left that can be released."""
    released: set[str] = set()
    while True:
        held = here.client.listing(org, "held", _GROUP)
        found = [one for m in held for one in m.deliveries if one.reason == REASON and one.id not in released]
        if not found:
            break
        states = here.client.act("release", org, tuple(_id(one.id) for one in found), local.ACTOR, args.reason)
        released |= states.keys()
    print(msgspec.json.encode({"released": len(released)}).decode() if args.json else f"{len(released)} released")
    return 0


def _list(found: tuple[MessageView, ...], as_json: bool) -> int:
    if as_json:
        print(msgspec.json.encode(found).decode())
        return 0
    if not found:
        print("Nothing waits.")
    for message in found:
        print(f"{clock.rfc3339(message.at)}  {message.id}  from {message.sender or '<>'}")
        for one in message.deliveries:
            due = _due(one) if one.state in ("deferred", "queued") else _ends(one)
            print(f"    {one.id}  {one.recipient}  {one.state}{due}\n        {one.words}")
    return 0


def _due(one: DeliveryView) -> str:
    held = one.held_back
    if held is not None:
        return f"  held back by {held.words}" + (f" until {clock.rfc3339(held.until)}" if held.until else "")
    return f"  next try {clock.rfc3339(one.due_at)}" if one.due_at else ""


def _ends(one: DeliveryView) -> str:
    if not one.until:
        return ""
    then = "sent as the rules then say" if one.then == "release" else "back to its sender"
    return f"  until {clock.rfc3339(one.until)}, then {then}"


def _id(typed: str) -> bytes:
    try:
        return ids.parse(typed)
    except ValueError:
        raise ConfigError(f"{typed!r} is not a delivery id; `carepost queue list` shows them.") from None
