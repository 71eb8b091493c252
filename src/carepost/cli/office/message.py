"""`carepost message`, inside Django: the archive's own gates, which put each look on record (law 7)."""

import argparse
import uuid

from carepost.archive.search import CONTENT, Wanted, search
from carepost.cli.office import common, entry
from carepost.engagement import select
from carepost.engagement.types import Engaged
from carepost.ground.errors import ConfigError
from carepost.jobs import resending
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.wire.types import MessageView

_OWN = ("notice", "bounce", "report")
_PAGE = 100


def run(args: argparse.Namespace) -> int:
    org = common.organisation(args).pk
    return _search(org, args) if args.verb == "search" else _resend(org, args)


def wanted(org: uuid.UUID, args: argparse.Namespace) -> Wanted:
    """What `cli.message.search_arguments` and `--all` asked for. Raises ConfigError."""
    content = tuple(one.strip() for one in args.content.split(",") if one.strip())
    if not set(content) <= set(CONTENT):
        raise ConfigError(f"What was found in a message is one of {', '.join(CONTENT)}.")
    if args.engaged and args.engaged not in set(Engaged):
        raise ConfigError(f"--engaged is one of {', '.join(Engaged)}.")
    opened, clicked = select.engaged(org, Engaged(args.engaged)) if args.engaged else ((), ())
    return Wanted(
        recipient=args.recipient, sender=args.sender, subject=args.subject, message_id=args.message_id, tag=args.tag,
        state=args.state, domain=args.domain, provider=args.provider, method=args.method, assurance=args.assurance,
        category=args.category, since=common.time(args.since) if args.since else 0,
        until=common.time(args.until) if args.until else 0, without=() if args.all else _OWN,
        content=content, opened=opened, clicked=clicked,
    )  # fmt: skip


def _search(org: uuid.UUID, args: argparse.Namespace) -> int:
    asked, found = wanted(org, args), list[MessageView]()
    cursor = ""
    while len(found) < args.limit:
        page = search(org.bytes, COMMAND_LINE, asked, after=cursor, limit=min(_PAGE, args.limit - len(found)))
        found += page.messages
        cursor = page.cursor
        if not cursor:
            break
    return entry.show([_row(one) for one in found], args, "No message has all of that.")


def _row(view: MessageView) -> dict[str, object]:
    return {
        "accepted": common.moment(view.at), "id": view.id, "from": view.sender, "subject": view.subject,
        "to": [f"{one.recipient}:{one.state}" for one in view.deliveries],
    }  # fmt: skip


def _resend(org: uuid.UUID, args: argparse.Namespace) -> int:
    chosen = tuple(common.identifier(one, "a delivery").bytes for one in args.delivery)
    message = common.identifier(args.message, "a message")
    done = resending.resend(
        org.bytes, message.bytes, COMMAND_LINE, args.reason, chosen=chosen, anew=args.as_today
    )  # fmt: skip
    left = f" Left out: {', '.join(sorted(set(done.left_out.values())))}." if done.left_out else ""
    count = len(done.deliveries)
    sent = f"Sent again to {count} {'recipient' if count == 1 else 'recipients'}, as {done.message}."
    said = (sent if done.message else "Nobody was left to send it to again.") + left
    return entry.done(said, {"id": done.message, "recipients": count, "left_out": done.left_out}, args)
