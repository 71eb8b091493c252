"""What is personal of an event, sealed beside it under the organisation's evidence key of the month (DESIGN 4, 5).

`version of the evidence key (4 bytes) ‖ sealed value (crypto.rest)`; AAD = organisation and event id, so that openings
cannot be moved to another event. An event with nothing personal has empty bytes here."""

from collections.abc import Mapping

import msgspec

from carepost.crypto import rest
from carepost.proof.event import Personal

_decoder = msgspec.msgpack.Decoder(Personal)
_encoder = msgspec.msgpack.Encoder()


def _aad(org: bytes, event_id: str, head: bytes) -> bytes:
    return b"carepost openings" + head + org + event_id.encode()


def seal(key: bytes, version: int, org: bytes, event_id: str, openings: Mapping[str, tuple[bytes, bytes]]) -> bytes:
    """`key`: the organisation's evidence key of this `version`. `event_id`: the event's `id` (UUID text)."""
    if not openings:
        return b""
    head = version.to_bytes(4, "big")
    return head + rest.seal(key, _encoder.encode(Personal(dict(openings))), _aad(org, event_id, head))


def key_version(sealed: bytes) -> int:
    """The version of the evidence key that `sealed` needs; 0 when nothing is sealed."""
    return int.from_bytes(sealed[:4], "big")


def open_(key: bytes, org: bytes, event_id: str, sealed: bytes) -> dict[str, tuple[bytes, bytes]]:
    """field -> (salt, value). Raises crypto.rest.Damaged."""
    if not sealed:
        return {}
    plain = rest.open_(key, sealed[4:], _aad(org, event_id, sealed[:4]))
    try:
        return _decoder.decode(plain).fields
    except msgspec.DecodeError:
        raise rest.Damaged("openings of an unknown form") from None
