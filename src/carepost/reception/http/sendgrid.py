"""`POST /v3/mail/send`: SendGrid's wire format over the same door, so that its client libraries work unchanged.

Answers are in its shape: 202 without a body and `X-Message-Id`, or `{"errors": […]}`. What else of its API there is is
the office's (`api.sendgrid`), and relayed.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from carepost.directory.types import ApiKey
from carepost.ground.errors import CarepostError
from carepost.reception.http import decode
from carepost.reception.http.asgi import Headers, Receive, Scope, Send, answer_json
from carepost.reception.http.problem import ProblemError, of_error
from carepost.reception.http.send import Sender
from carepost.reception.http.sendgrid_mail import MailError, messages
from carepost.wire import rest
from carepost.wire.sendgrid import Error, Errors, Mail

PREFIX: Final = "/v3/"
SEND: Final = "/v3/mail/send"
#: pointers into our batch, said of theirs
_PLACE: Final = re.compile(r"^/messages/(\d+)(?:/(.*))?$")
_MISSING: Final = re.compile(r"^Object missing required field `(\w+)`$")
_NAMES: Final = {"text": "content", "html": "content", "tags": "categories", "metadata": "custom_args",
                 "variables": "dynamic_template_data"}  # fmt: skip
#: of the whole mail; the others are said in a personalization
_WHOLE: Final = frozenset({"attachments", "content", "categories", "template_id", "reply_to", "headers"})
#: objects and lists a mail has in one another, at most
_DEPTH: Final = 8
#: errors of one answer
_MOST: Final = 50


class _Refused(Exception):
    def __init__(self, status: int, errors: tuple[Error, ...], headers: Headers = ()) -> None:
        super().__init__("refused")
        self.status, self.errors, self.headers = status, errors, headers


class SendGrid:
    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._sender.with_key(scope, receive, send, self._send)
        except _Refused as error:
            await answer_json(send, error.status, Errors(error.errors), error.headers)
        except (ProblemError, CarepostError) as error:
            found = error if isinstance(error, ProblemError) else of_error(error)
            await answer_errors(send, found)

    async def nothing(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == SEND:
            errors = Errors((Error("POST the mail to this address."),))
            await answer_json(send, 405, errors, ((b"allow", b"POST"),))
            return
        words = (
            "Of SendGrid's API mail/send, suppression, asm and templates are offered here; see /api/v1/openapi.json "
            "for the rest."
        )
        await answer_json(send, 404, Errors((Error(words),)))

    async def _send(self, scope: Scope, key: ApiKey, raw: bytes) -> tuple[int, object, Headers]:
        mail = _read(raw)
        try:
            said = messages(mail)
        except MailError as error:
            raise _Refused(400, error.errors[:_MOST]) from None
        entries = await self._sender.several(scope, key, said)
        wrong = [(number, entry.problem) for number, entry in enumerate(entries) if entry.problem is not None]
        if wrong:
            raise _Refused(_status(wrong[0][1]), tuple(_partly(wrong, len(entries)))[:_MOST])
        status = 200 if mail.mail_settings.sandbox_mode.enable else 202
        return status, None, ((b"x-message-id", entries[0].id.encode()),)


async def answer_errors(send: Send, error: ProblemError) -> None:
    """A problem in SendGrid's shape."""
    await answer_json(send, _status(error.problem), Errors(tuple(_errors(error.problem))), error.headers)


def _read(raw: bytes) -> Mail:
    """`null` says no more than leaving out, so it is left out; but for what a template is filled with."""
    try:
        return decode.once(raw, Mail)
    except ProblemError:
        if b"null" not in raw:
            raise
    return decode.once(msgspec.json.encode(_without_null(decode.once(raw, dict[str, object]))), Mail)


def _without_null(said: object, name: str = "", depth: int = 0) -> object:
    if name == "dynamic_template_data" or depth > _DEPTH:
        return said
    if isinstance(said, dict):
        return {key: _without_null(value, key, depth + 1) for key, value in said.items() if value is not None}
    return [_without_null(one, "", depth + 1) for one in said] if isinstance(said, list) else said


def _partly(wrong: list[tuple[int, rest.Problem]], all_: int) -> Iterator[Error]:
    """What was accepted is on its way: who sends all of it again sends that twice, and is told so."""
    if len(wrong) < all_:
        words = f"{all_ - len(wrong)} of {all_} personalizations were accepted: send only those named here again."
        yield Error(words, "personalizations")
    for number, one in wrong:
        yield from _errors(one) if one.errors else [Error(one.detail or one.title, f"personalizations.{number}")]


def _errors(found: rest.Problem) -> list[Error]:
    if not found.errors:
        return [Error(found.detail or found.title)]
    return [Error(fault.detail or found.detail, _field(_place(fault))) for fault in found.errors]


def _place(fault: rest.Fault) -> str:
    """As theirs: of what is missing, where it should stand."""
    missing = _MISSING.match(fault.detail)
    return f"{fault.pointer}/{missing[1]}" if missing else fault.pointer


def _field(pointer: str) -> str | None:
    place = _PLACE.match(pointer)
    if place is None:
        return pointer.strip("/").replace("/", ".") or None
    number, rest_ = place[1], (place[2] or "").split("/")
    if not rest_[0]:
        return f"personalizations.{number}"
    name = _NAMES.get(rest_[0], rest_[0])
    path = ".".join([name, *rest_[1:]])
    return path if name in _WHOLE else f"personalizations.{number}.{path}"


def _status(found: rest.Problem) -> int:
    """SendGrid says 400 where we say 422."""
    return 400 if found.status == 422 else found.status
