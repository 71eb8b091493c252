"""What an export writes: one line a message or event (NDJSON), or one a delivery (CSV, RFC 4180)."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from carepost.archive.access import opened
from carepost.audit.reader import StoredEvent
from carepost.ground.clock import rfc3339
from carepost.wire.types import DeliveryView, MessageView

_encode = msgspec.json.Encoder().encode
MESSAGE_COLUMNS: Final = (
    "message", "accepted", "sender", "subject", "message_id", "origin", "category", "size", "delivery", "recipient",
    "state", "method", "assurance", "reason", "rule",
)  # fmt: skip
EVENT_COLUMNS: Final = ("index", "at", "kind", "on", "result", "cause", "actor", "facts")
#: how a cell must not begin: programs that open tables would take it for a formula
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def messages(found: Sequence[MessageView], form: str, *, first: bool) -> tuple[bytes, int]:
    """(octets, rows)."""
    if form == "ndjson":
        return b"".join(_encode(one) + b"\n" for one in found), len(found)
    rows = [_delivery(message, one) for message in found for one in message.deliveries]
    return _table(MESSAGE_COLUMNS if first else None, rows), len(rows)


def events(
    org: bytes, found: Sequence[StoredEvent], form: str, *, first: bool, with_personal: bool
) -> tuple[bytes, int]:
    if form == "csv":
        return _table(EVENT_COLUMNS if first else None, [_event(one) for one in found]), len(found)
    lines = []
    for one in found:
        line: dict[str, Any] = {"index": one.index, "event": msgspec.Raw(one.raw)}
        if with_personal:
            line["opened"] = personal(org, one)
        lines.append(_encode(line) + b"\n")
    return b"".join(lines), len(found)


def mistakes(found: Sequence[tuple[int, str]], form: str, *, first: bool) -> bytes:
    """What is wrong with which line of a file: (number, a sentence that repeats nothing of it)."""
    if form == "ndjson":
        return b"".join(_encode({"line": line, "problem": words}) + b"\n" for line, words in found)
    return _table(("line", "problem") if first else None, [(str(line), words) for line, words in found])


def personal(org: bytes, one: StoredEvent) -> dict[str, str]:
    """What is personal of an event, by name; octets that are no text are escaped. Empty where nothing opens."""
    if not one.sealed:
        return {}
    return {name: value.decode("utf-8", "backslashreplace") for name, (_, value) in opened(org, one).items()}


def _delivery(message: MessageView, one: DeliveryView) -> tuple[str, ...]:
    return (
        message.id, rfc3339(message.at), message.sender, message.subject, message.message_id, message.origin,
        message.category, str(message.size), one.id, one.recipient, one.state, one.method, one.assurance, one.reason,
        one.rule,
    )  # fmt: skip


def _event(one: StoredEvent) -> tuple[str, ...]:
    event = one.event
    facts = " ".join(f"{name}={value}" for name, value in sorted(event.facts.items()))
    return (
        str(one.index), rfc3339(event.at), event.kind, " ".join(event.on), event.result, event.cause,
        f"{event.actor.kind}:{event.actor.id}", facts,
    )  # fmt: skip


def _table(head: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    if head is not None:
        table.writerow(head)
    for row in rows:
        table.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return out.getvalue().encode()
