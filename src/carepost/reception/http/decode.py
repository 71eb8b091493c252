"""JSON into the shapes of `wire.rest`, strictly (BI-085): one reading of each document, or none."""

import json

import msgspec

from carepost.reception.http.problem import of_validation, refuse
from carepost.wire import rest


class _Peek(msgspec.Struct):
    """Which of the two shapes a body has."""

    messages: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_peek = msgspec.json.Decoder(_Peek)
_message = msgspec.json.Decoder(rest.Message)
_batch = msgspec.json.Decoder(rest.Batch)


class _RepeatedName(ValueError):
    pass


def messages(body: bytes) -> tuple[tuple[rest.Message, ...], bool]:
    """(messages, whether it was a batch). Raises 400 for what is no JSON, 422 with a pointer for a wrong shape."""
    try:
        batch = _peek.decode(body).messages is not msgspec.UNSET
        found = _batch.decode(body).messages if batch else (_message.decode(body),)
        # msgspec keeps the last of two equal names, other readers the first: such a document has two meanings
        _twice.decode(body.decode())
    except msgspec.ValidationError as error:
        raise of_validation(error) from None
    except _RepeatedName:
        raise refuse(400, "json-repeated", "A name stands twice in one object.") from None
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise refuse(400, "json", "The body is not JSON.") from None
    return found, batch


def message(body: bytes) -> rest.Message:
    """One message, never a batch."""
    found, batch = messages(body)
    if batch:
        raise refuse(422, "invalid", "Give one message here.")
    return found[0]


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _RepeatedName


#: made once: `json.loads` with a hook makes one at every call
_twice = json.JSONDecoder(object_pairs_hook=_unique)
