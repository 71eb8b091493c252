"""`carepost held list|release|refuse|access|letters`: what waits for a person, a person's word, and who is told."""

import argparse
import getpass
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from carepost.cli import local
from carepost.cli.office import entry
from carepost.ground import clock, ids
from carepost.ground.errors import ConfigError, Unavailable
from carepost.intake import agreed
from carepost.policy.types import Method
from carepost.wire import doors
from carepost.wire.types import AccessProof, HeldFilter, HeldView

#: pages of the engine's looked through for one list
_PAGES: Final = 50
#: what the engine answers where nothing was done -> why
_NOT_DONE = {
    "not-found": "There is no such delivery here.",
    "not-possible": "It is not held any more: somebody else was quicker.",
    "needs-another": "It waits for approval, which people give in the console, and never the sender.",
    "not-stronger": "That method protects less than what the rules decide, or cannot reach this person.",
}

_NOT_AWAITED = "It is not held for want of an access code, or not held any more."
_DONE = {
    "release": "released",
    "refuse": "refused",
    "access": "goes on with it; tell it to the person by telephone or face to face, never by e-mail",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="what waits, newest held first")
    listing.add_argument("--limit", type=int, default=50, help="at most this many")
    listing.add_argument("--from-domain", default="", metavar="DOMAIN", help="of senders of this domain alone")
    listing.add_argument("--to-domain", default="", metavar="DOMAIN", help="for recipients of this domain alone")
    listing.add_argument("--since", default="", metavar="TIME", help="held at or after, as 2026-11-21T18:00:00Z")
    listing.add_argument("--until", default="", metavar="TIME", help="held before")
    listing.add_argument("--rule", default="", metavar="NAME", help="held by this rule")
    listing.add_argument("--reason", default=[], action="append", metavar="CODE", help="held for this reason code")
    listing.add_argument("--who", default="", choices=["me", "others"], help="what this command may release, or not")
    local.add_arguments(listing)
    release = verbs.add_parser("release", help="let deliveries go, as the rules say at that moment")
    release.add_argument(
        "--method", choices=[m.value for m in Method], help="by this alone, where it protects at least as much"
    )
    refuse = verbs.add_parser("refuse", help="do not send them; their senders get a report")
    refuse.add_argument("--note", default="", help="told to the sender by mail; nothing of the message")
    access = verbs.add_parser("access", help="give one what it waits for: an access code, agreed with its recipient")
    access.add_argument(
        "--from-file", metavar="FILE", help='its first line is the code, or the answer ("-" is standard input)'
    )
    access.add_argument("--question", default="", help="what the recipient is asked; the secret is its answer")
    letters = entry.verb(verbs, "letters", "who is told that something waits, and how often; alone, it shows it")
    letters.add_argument("--write", choices=["at-once", "daily", "off"], help="when a letter is written")
    letters.add_argument("--to", metavar="ADDRESS", help='to this address alone; "" is everybody who may release')
    letters.add_argument(
        "--remind", type=int, metavar="HOURS", help="once more, so long before the time of something is over (0: never)"
    )
    entry.reason(letters, required=False)
    access.add_argument("delivery", nargs=1, metavar="DELIVERY", help="as the list shows it")
    for one in (release, refuse):
        one.add_argument("delivery", nargs="+", metavar="DELIVERY", help="as the list shows it")
    for one in (release, refuse, access):
        one.add_argument("--reason", required=True, help="why, in a few words (kept sealed)")
        local.add_arguments(one)


def run(args: argparse.Namespace) -> int:
    if args.verb == "letters":
        return entry.run("held", args)
    here = local.Local.of(args)
    org = here.organisation(args.org).id
    try:
        if args.verb == "list":
            only = HeldFilter(
                args.from_domain, args.to_domain, _time(args.since), _time(args.until), args.rule, args.who
            )
            return _list(_found(here, org, tuple(args.reason), only, max(1, min(args.limit, 500))), args.json)
        methods = (Method(args.method),) if args.verb == "release" and args.method else ()
        note = " ".join(args.note.split())[:500] if args.verb == "refuse" else ""
        chosen = tuple(_id(typed) for typed in args.delivery)
        verb, proof = ("agree", _proof(args)) if args.verb == "access" else (args.verb, AccessProof())
        states = here.client.act(verb, org, chosen, local.ACTOR, args.reason, (), methods, note, proof)
    except Unavailable as error:
        raise local.running(error) from None
    if args.json:
        print(msgspec.json.encode(states).decode())
    for delivery, state in states.items():
        if state in _NOT_DONE:
            why = _NOT_AWAITED if args.verb == "access" and state == "not-possible" else _NOT_DONE[state]
            print(f"{delivery}: {why}", file=sys.stderr)
        elif not args.json:
            print(f"{delivery}  {_DONE[args.verb]}")
    return 1 if set(_NOT_DONE) & set(states.values()) else 0


def _proof(args: argparse.Namespace) -> AccessProof:
    """Never on the command line, where other users of the machine and its history would see it."""
    asked = " ".join(args.question.split())
    if args.from_file:
        try:
            typed = sys.stdin.readline() if args.from_file == "-" else Path(args.from_file).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{args.from_file} cannot be read as text.") from None
        secret = typed.partition("\n")[0].strip()
    elif sys.stdin.isatty():
        secret = getpass.getpass("Answer: " if asked else "Access code: ").strip()
    else:
        raise ConfigError("Say where the code stands: --from-file FILE (- is standard input).")
    return agreed.proof("" if asked else secret, asked, secret if asked else "", late=True)


def _found(
    here: local.Local, org: bytes, reasons: tuple[str, ...], only: HeldFilter, limit: int
) -> tuple[HeldView, ...]:
    """As many as fit, however far back they are."""
    found: list[HeldView] = []
    at: tuple[int, bytes] | None = None
    for _ in range(_PAGES):
        answer = here.client.held(doors.Held(org, local.ACTOR, (), reasons, at, limit, only))
        found.extend(answer.deliveries)
        at = answer.floor
        if at is None or len(found) >= limit:
            break
    else:
        print("So much waits that not all of it was looked at; ask for a time with --until.", file=sys.stderr)
    return tuple(found[:limit])


def _time(typed: str) -> int:
    """UTC microseconds; 0 where nothing was said."""
    try:
        at = datetime.fromisoformat(typed) if typed else None
    except ValueError:
        at = None
    if typed and (at is None or at.tzinfo is None):
        raise ConfigError(f"{typed!r} is not a time; write it as 2026-11-21T18:00:00Z.")
    return int(at.timestamp() * 1_000_000) if at is not None else 0


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
