"""The stream of a backup: what comes out is what went in, or nothing (BI-077)."""

import io
import os

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.ground.errors import ConfigError
from carepost.ground.keys import PurposeKeys
from carepost.processes.backup import vault

pytestmark = pytest.mark.fast
KEYS = PurposeKeys.ephemeral()


def packed(plain: bytes, **changes: object) -> bytes:
    key, wrapped, prefix = vault.new_key(KEYS)
    head = vault.Head(vault.FORMAT, "0.1.0", 1, msgspec.Raw(b"{}"), False, "sqlite", wrapped, prefix)
    out = io.BytesIO()
    writer = vault.Writer(out, msgspec.structs.replace(head, **changes), key)
    for start in range(0, len(plain), 300_001):
        writer.write(plain[start : start + 300_001])
    writer.finish()
    return out.getvalue()


def unpacked(raw: bytes, keys: PurposeKeys = KEYS) -> bytes:
    file = io.BytesIO(raw)
    head, aad = vault.read_head(file)
    reader = vault.Reader(file, head, aad, vault.open_key(head, keys))
    found = b""
    while piece := reader.read(70_001):
        found += piece
    assert reader.ends()
    return found


@pytest.mark.parametrize("size", [0, 1, vault.CHUNK - 1, vault.CHUNK, vault.CHUNK + 1, 3 * vault.CHUNK])
def test_what_went_in_comes_out(size: int) -> None:
    plain = os.urandom(size)
    raw = packed(plain)
    assert unpacked(raw) == plain
    assert size < 64 or plain[:64] not in raw


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_byte_altered_anywhere_opens_nothing(data: st.DataObject) -> None:
    raw = bytearray(_SMALL)
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ConfigError):
        unpacked(bytes(raw))


_SMALL = packed(b"seventeen herons")


def test_chunks_left_out_repeated_or_in_another_order_open_nothing() -> None:
    raw = packed(os.urandom(3 * vault.CHUNK))
    file = io.BytesIO(raw)
    vault.read_head(file)
    first = file.tell()
    size = 4 + vault.CHUNK + 16
    one, two = raw[first : first + size], raw[first + size : first + 2 * size]
    rest = raw[first + 2 * size :]
    for altered in (one + rest, one + one + two + rest, two + one + rest, one + two):
        with pytest.raises(ConfigError, match="damaged"):
            unpacked(raw[:first] + altered)


def test_another_keyring_or_a_newer_form_is_told_in_a_sentence() -> None:
    with pytest.raises(ConfigError, match="CAREPOST_KEYRING"):
        unpacked(packed(b"x"), PurposeKeys.ephemeral())
    with pytest.raises(ConfigError, match="newer Carepost"):
        unpacked(packed(b"x", format=2))
