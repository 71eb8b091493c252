"""The calls of the API, written once for both clients: each gives what to ask and how to read the answer."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from carepost.client import calls
from carepost.client.calls import Call, Reply
from carepost.wire import rest
from carepost.wire.types import MessageView

T = TypeVar("T")
_IMPORTS = "/api/v1/suppressions/imports"


class Ask(msgspec.Struct, Generic[T], frozen=True):
    call: Call
    read: Callable[[Reply], T]


class MessagePage(msgspec.Struct, frozen=True):
    """`cursor`: for the next page; "" at the end. `back_to`: of a page that ended before it was full, how far back it
    searched (UTC microseconds); 0 of any other."""

    messages: tuple[MessageView, ...]
    cursor: str = ""
    back_to: int = 0


class EventPage(msgspec.Struct, frozen=True):
    """Events as the log holds them (docs/proof-format.md). `cursor`: of the next page; "" at the end. `follow`: the
    same, at the end too: what happens later is read from there."""

    events: tuple[dict[str, Any], ...]
    cursor: str = ""
    follow: str = ""


class Rendered(msgspec.Struct, frozen=True):
    subject: str
    html: str
    text: str


class Uploaded(msgspec.Struct, frozen=True):
    """`id`: for Attachment(upload_id=…), until `expires_at` (UTC microseconds)."""

    id: str
    size: int
    expires_at: int


class Job(rest.Job, frozen=True):
    @property
    def open(self) -> bool:
        return self.state in ("receiving", "waiting", "running")


class Resent(msgspec.Struct, frozen=True):
    """`id`: of the new message; "" where nobody was left. `left_out`: deliveries that get nothing -> why."""

    id: str
    deliveries: tuple[rest.Delivery, ...] = ()
    left_out: dict[str, str] = {}


class Ahead(msgspec.Struct, frozen=True):
    """How many days ahead `send_at` may lie, and how many at most an organisation may allow."""

    days: int
    most: int


class _Jobs(msgspec.Struct, frozen=True):
    jobs: tuple[Job, ...]


class _States(msgspec.Struct, frozen=True):
    deliveries: dict[str, str]


def _as(kind: type[T]) -> Callable[[Reply], T]:
    def read(reply: Reply) -> T:
        found: T = reply.read(kind)
        return found

    return read


def _nothing(_: Reply) -> None:
    return None


def send(message: rest.Message, key: str | None) -> Ask[rest.MessageAccepted]:
    """Under a key always: the caller's, the message's own, or a new one."""
    used = key or message.idempotency_key or calls.new_key()
    return Ask(calls.post("/api/v1/messages", message, key=used), _as(rest.MessageAccepted))


def send_batch(messages: Iterable[rest.Message], key: str | None) -> Ask[tuple[rest.BatchEntry, ...]]:
    batch = rest.Batch(tuple(messages))
    return Ask(
        calls.post("/api/v1/messages", batch, key=key or calls.new_key()), lambda r: r.read(rest.BatchAccepted).messages
    )


def preview(message: rest.Message) -> Ask[tuple[rest.Delivery, ...]]:
    call = calls.post("/api/v1/protection/preview", message, again=True)
    return Ask(call, lambda reply: reply.read(rest.Previewed).deliveries)


def message(id_: str) -> Ask[MessageView]:
    return Ask(calls.get(f"/api/v1/messages/{calls.part(id_)}"), _as(MessageView))


def messages(query: Mapping[str, object]) -> Ask[MessagePage]:
    return Ask(calls.get("/api/v1/messages", **query), _as(MessagePage))


def search(wanted: Mapping[str, object]) -> Ask[MessagePage]:
    """The words go in the body: an address never stands in a URL."""
    return Ask(calls.post("/api/v1/messages/search", dict(wanted), again=True), _as(MessagePage))


def retract(id_: str, reason: str) -> Ask[dict[str, str]]:
    call = calls.post(f"/api/v1/messages/{calls.part(id_)}/retract", {"reason": reason}, again=True)
    return Ask(call, lambda reply: reply.read(_States).deliveries)


def resend(id_: str, reason: str, deliveries: Iterable[str], as_today: bool, key: str | None) -> Ask[Resent]:
    body = {"reason": reason, "deliveries": list(deliveries), "as_today": as_today}
    used = key or calls.new_key()
    return Ask(calls.post(f"/api/v1/messages/{calls.part(id_)}/resend", body, key=used), _as(Resent))


def begin_job(kind: str, wanted: Mapping[str, object], given: Mapping[str, object]) -> Ask[Job]:
    """Not asked again where the answer was lost: two jobs would run."""
    return Ask(calls.post("/api/v1/jobs", {"kind": kind, "search": dict(wanted), **given}), _as(Job))


def job(id_: str) -> Ask[Job]:
    return Ask(calls.get(f"/api/v1/jobs/{calls.part(id_)}"), _as(Job))


def jobs() -> Ask[tuple[Job, ...]]:
    return Ask(calls.get("/api/v1/jobs"), lambda reply: reply.read(_Jobs).jobs)


def cancel_job(id_: str) -> Ask[Job]:
    return Ask(calls.post(f"/api/v1/jobs/{calls.part(id_)}/cancel", {}), _as(Job))


def job_result(id_: str) -> Ask[bytes]:
    return Ask(calls.get(f"/api/v1/jobs/{calls.part(id_)}/result"), lambda reply: reply.body)


def proof(id_: str, delivery: str) -> Ask[bytes]:
    return Ask(calls.get(f"/api/v1/messages/{calls.part(id_)}/proof", delivery=delivery), lambda reply: reply.body)


def upload(name: str, data: bytes, content_type: str) -> Ask[Uploaded]:
    return Ask(calls.file("/api/v1/uploads", name, content_type, data), _as(Uploaded))


def render(template: str, variables: Mapping[str, object], number: int) -> Ask[Rendered]:
    body = {"variables": dict(variables), "number": number}
    return Ask(calls.post(f"/api/v1/templates/{calls.part(template)}/render", body, again=True), _as(Rendered))


def events(cursor: str, limit: int) -> Ask[EventPage]:
    return Ask(calls.get("/api/v1/events", cursor=cursor, limit=limit), _as(EventPage))


def ahead() -> Ask[Ahead]:
    return Ask(calls.get("/api/v1/sending/ahead"), _as(Ahead))


def set_ahead(days: int, reason: str) -> Ask[Ahead]:
    return Ask(calls.put("/api/v1/sending/ahead", {"days": days, "reason": reason}), _as(Ahead))


def suppress(address: str, reason: str) -> Ask[None]:
    return Ask(calls.post("/api/v1/suppressions", {"address": address, "reason": reason}, again=True), _nothing)


def begin_suppression_import(data: bytes, content_type: str, dry_run: bool, reason: str) -> Ask[Job]:
    """Not asked again where the answer was lost: two would run, though the second would find all there."""
    words = urlencode({"dry_run": "true" if dry_run else "false", "reason": reason})
    call = Call("POST", f"{_IMPORTS}?{words}", data, {"content-type": content_type}, again=False)
    return Ask(call, _as(Job))


def suppression_import(id_: str) -> Ask[Job]:
    return Ask(calls.get(f"{_IMPORTS}/{calls.part(id_)}"), _as(Job))


def begin_tried_import(id_: str) -> Ask[Job]:
    return Ask(calls.post(f"{_IMPORTS}/{calls.part(id_)}/begin", {}, again=True), _as(Job))


def cancel_suppression_import(id_: str) -> Ask[Job]:
    return Ask(calls.post(f"{_IMPORTS}/{calls.part(id_)}/cancel", {}), _as(Job))


def undo_suppression_import(id_: str, reason: str) -> Ask[Job]:
    return Ask(calls.post(f"{_IMPORTS}/{calls.part(id_)}/undo", {"reason": reason}), _as(Job))


def suppression_import_problems(id_: str) -> Ask[bytes]:
    return Ask(calls.get(f"{_IMPORTS}/{calls.part(id_)}/problems"), lambda reply: reply.body)


def other(call: Call) -> Ask[Any]:
    """Whatever else the API knows."""
    return Ask(call, lambda reply: reply.read(Any) if reply.body else None)
