"""Personal columns of the portal under the organisation's portal key, and the bodies its deposits hold."""

import hmac
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from carepost.crypto import rest, wrap
from carepost.crypto.index import normalise
from carepost.mailbox.models import Body
from carepost.tenancy import keys
from carepost.tenancy import sealing as columns

PURPOSE = "portal"
T = TypeVar("T", bound=msgspec.Struct)


def seal(org: bytes, row: UUID, column: str, plain: bytes) -> bytes:
    return columns.seal(UUID(bytes=org), PURPOSE, plain, columns.place("mailbox", column, row))


def open_(org: bytes, row: UUID, column: str, sealed: bytes | memoryview) -> bytes:
    """Raises crypto.rest.Damaged, NotFound."""
    return columns.open_(UUID(bytes=org), PURPOSE, bytes(sealed), columns.place("mailbox", column, row))


def seal_record(org: bytes, row: UUID, record: msgspec.Struct) -> bytes:
    return seal(org, row, "record", msgspec.msgpack.encode(record))


def open_record(org: bytes, row: UUID, sealed: bytes | memoryview, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(open_(org, row, "record", sealed), type=kind)
    except msgspec.MsgspecError:
        raise rest.Damaged("a record of an unknown form") from None


def address_token(org: bytes, address: str) -> bytes:
    """32 bytes that stand for an address in comparisons."""
    return hmac.digest(token_key(org), b"address\0" + normalise("address", address).encode(), "sha256")


def token_key(org: bytes) -> bytes:
    """What tokens (addresses, Reply-To) are made under: the organisation's first portal key, which rotation keeps."""
    return hmac.digest(keys.version(UUID(bytes=org), PURPOSE, 1), b"carepost mailbox tokens", "sha256")


def open_body(body: Body, chunks: Sequence[bytes]) -> bytes:
    """The message as deposited; `chunks` from wherever they lie. Raises Damaged, NotFound."""
    org, message = body.org_id.bytes, body.message.bytes
    wrapped = bytes(body.wrapped_key)
    key = keys.version(body.org_id, PURPOSE, wrap.version(wrapped))
    return rest.open_body(wrap.unwrap_key(key, wrapped, org + message), org, message, list(chunks))
