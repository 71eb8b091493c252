"""Personal columns of the portal under the organisation's portal key, and the bodies its deposits hold."""

import hmac
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from carepost.crypto import rest, wrap
from carepost.crypto.index import normalise
from carepost.mailbox.models import Body
from carepost.tenancy import address_tokens, keys
from carepost.tenancy import sealing as columns
from carepost.tenancy.address_tokens import Standing

PURPOSE = address_tokens.PORTAL
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


def standing(org: bytes) -> Standing:
    """The portal key everything new is made under, and those under which people may still stand. Raises NotFound."""
    return address_tokens.standing(UUID(bytes=org), PURPOSE)


def ever(org: bytes) -> Standing:
    """Every portal key there has been, the newest first: for what holds no address of its own."""
    return address_tokens.ever(UUID(bytes=org), PURPOSE)


def address_tokens_of(keys: Standing, address: str) -> list[bytes]:
    """32 bytes under each key, the newest first, that stand for an address in comparisons."""
    plain = b"address\0" + normalise("address", address).encode()
    return [hmac.digest(token_key(key), plain, "sha256") for _, key in keys.keys]


def token_key(key: bytes) -> bytes:
    """What tokens (addresses, Reply-To) are made with. `key`: a portal key of the organisation's."""
    return hmac.digest(key, b"carepost mailbox tokens", "sha256")


def open_body(body: Body, chunks: Sequence[bytes]) -> bytes:
    """The message as deposited; `chunks` from wherever they lie. Raises Damaged, NotFound."""
    org, message = body.org_id.bytes, body.message.bytes
    wrapped = bytes(body.wrapped_key)
    key = keys.version(body.org_id, PURPOSE, wrap.version(wrapped))
    return rest.open_body(wrap.unwrap_key(key, wrapped, org + message), org, message, list(chunks))
