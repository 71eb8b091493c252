"""`carepost queue list|hold|release|retry`: the deliveries that wait, and a person's word about them."""

import argparse

import msgspec

from carepost.cli import local
from carepost.ground import clock, ids
from carepost.ground.errors import ConfigError, Unavailable
from carepost.wire.types import MessageView

VERBS = ("hold", "release", "retry")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="what waits or is held, newest first")
    listing.add_argument("--state", default="", help="queued, deferred or held (default: all that wait)")
    listing.add_argument("--limit", type=int, default=50, help="at most this many messages")
    local.add_arguments(listing)
    for verb in VERBS:
        one = verbs.add_parser(verb, help=f"{verb} deliveries, with a reason that goes on record")
        one.add_argument("delivery", nargs="+", metavar="DELIVERY", help="delivery id")
        one.add_argument("--reason", required=True, help="why, in a few words (kept sealed)")
        local.add_arguments(one)


def run(args: argparse.Namespace) -> int:
    here = local.Local.of(args)
    org = here.organisation(args.org)
    try:
        if args.verb == "list":
            return _list(here.client.listing(org.id, args.state, args.limit), args.json)
        deliveries = tuple(_id(typed) for typed in args.delivery)
        states = here.client.act(args.verb, org.id, deliveries, local.ACTOR, args.reason)
    except Unavailable as error:
        raise local.running(error) from None
    if args.json:
        print(msgspec.json.encode(states).decode())
    else:
        for delivery, state in states.items():
            print(f"{delivery}  {state}")
    return 0 if not {"not-found", "not-possible"} & set(states.values()) else 1


def _list(found: tuple[MessageView, ...], as_json: bool) -> int:
    if as_json:
        print(msgspec.json.encode(found).decode())
        return 0
    if not found:
        print("Nothing waits.")
    for message in found:
        print(f"{clock.rfc3339(message.at)}  {message.id}  from {message.sender or '<>'}")
        for one in message.deliveries:
            due = (
                f"  next try {clock.rfc3339(one.due_at)}" if one.state in ("deferred", "queued") and one.due_at else ""
            )
            print(f"    {one.id}  {one.recipient}  {one.state}{due}\n        {one.words}")
    return 0


def _id(typed: str) -> bytes:
    try:
        return ids.parse(typed)
    except ValueError:
        raise ConfigError(f"{typed!r} is not a delivery id; `carepost queue list` shows them.") from None
