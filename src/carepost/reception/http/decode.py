"""JSON into the shapes of `wire.rest`, strictly (BI-085): one reading of each document, or none."""

import json
from typing import Annotated, TypeVar

import msgspec

from carepost.reception.http.problem import ProblemError, of_validation, refuse
from carepost.wire import rest


class _Peek(msgspec.Struct):
    """Which of the two shapes a body has."""

    messages: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Apart(msgspec.Struct, forbid_unknown_fields=True):
    """A batch whose messages are read one by one, because one of them is wrong."""

    messages: Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(min_length=1, max_length=rest.MAX_BATCH)]


T = TypeVar("T")

_peek = msgspec.json.Decoder(_Peek)
_apart = msgspec.json.Decoder(_Apart)
_message = msgspec.json.Decoder(rest.Message)
_batch = msgspec.json.Decoder(rest.Batch)


class _RepeatedName(ValueError):
    pass


def messages(body: bytes) -> tuple[tuple[rest.Message | ProblemError, ...], bool]:
    """(messages, whether it was a batch). A message of a batch that has a wrong shape stands there as its 422 problem;
    the others are as good as without it. Raises 400 for what is no JSON, 422 with a pointer for a wrong shape of a
    single message or of the batch itself."""
    found: tuple[rest.Message | ProblemError, ...]
    batch = False
    try:
        batch = _peek.decode(body).messages is not msgspec.UNSET
        found = _read_batch(body) if batch else (_message.decode(body),)
        # msgspec keeps the last of two equal names, other readers the first: such a document has two meanings
        _twice.decode(body.decode())
    except msgspec.ValidationError as error:
        raise of_validation(error, rest.Batch if batch else rest.Message) from None
    except _RepeatedName:
        raise refuse(400, "json-repeated", "A name stands twice in one object.") from None
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise refuse(400, "json", "The body is not JSON.") from None
    return found, batch


def _read_batch(body: bytes) -> tuple[rest.Message | ProblemError, ...]:
    try:
        return _batch.decode(body).messages
    except msgspec.ValidationError:
        raws = _apart.decode(body).messages
    return tuple([_read_one(raw, number) for number, raw in enumerate(raws)])


def _read_one(raw: msgspec.Raw, number: int) -> rest.Message | ProblemError:
    try:
        return _message.decode(raw)
    except msgspec.ValidationError as error:
        return of_validation(error, rest.Message, f"/messages/{number}")


def once(body: bytes, kind: type[T]) -> T:
    """A document of another shape, as strictly."""
    try:
        found = msgspec.json.decode(body, type=kind)
        _twice.decode(body.decode())
    except msgspec.ValidationError as error:
        raise of_validation(error, kind) from None
    except _RepeatedName:
        raise refuse(400, "json-repeated", "A name stands twice in one object.") from None
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise refuse(400, "json", "The body is not JSON.") from None
    return found


def message(body: bytes) -> rest.Message:
    """One message, never a batch."""
    found, batch = messages(body)
    one = found[0]
    if batch or isinstance(one, ProblemError):
        raise refuse(422, "invalid", "Give one message here.")
    return one


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _RepeatedName


#: made once: `json.loads` with a hook makes one at every call
_twice = json.JSONDecoder(object_pairs_hook=_unique)
