"""What history knows of a message's content, under a key of the message's own (DESIGN 5, two lives)."""

import msgspec

from carepost.crypto import rest, wrap
from carepost.queue.sealing import CONTENT, OrgKeyBook
from carepost.wire.types import HistoryRecord

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(HistoryRecord)


def seal(book: OrgKeyBook, org: bytes, message: bytes, encoded: bytes) -> tuple[bytes, bytes]:
    """(sealed header, wrapped key) of a HistoryRecord in JSON."""
    version, org_key = book.current(org, CONTENT)
    key, sealed = rest.seal_once(encoded, _aad(org, message))
    return sealed, wrap.wrap_key(org_key, key, org + message, version)


def open_(book: OrgKeyBook, org: bytes, message: bytes, sealed: bytes, wrapped: bytes) -> HistoryRecord:
    """Raises crypto.rest.Damaged, NotFound when the organisation's key is gone."""
    key = wrap.unwrap_key(book.version(org, CONTENT, wrap.version(wrapped)), wrapped, org + message)
    return decode(rest.open_(key, sealed, _aad(org, message)))


def decode(encoded: bytes) -> HistoryRecord:
    """Raises Damaged."""
    try:
        return _decoder.decode(encoded)
    except msgspec.MsgspecError:
        raise rest.Damaged("a history record of an unknown form") from None


def encode(record: HistoryRecord) -> bytes:
    return _encoder.encode(record)


def _aad(org: bytes, message: bytes) -> bytes:
    return b"carepost history" + org + message
