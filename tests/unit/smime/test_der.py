"""The cursor and the way from BER to definite lengths: asn1crypto is the peer; limits hold (BI-069 in spirit)."""

import time

import pytest
from asn1crypto import core
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto.smime import der
from carepost.crypto.smime.errors import Malformed

pytestmark = pytest.mark.fast


@settings(deadline=None)
@given(st.integers(min_value=-(2**80), max_value=2**80))
def test_integers_are_written_as_asn1crypto_writes_them(value: int) -> None:
    if value >= 0:
        assert der.integer(value) == core.Integer(value).dump()
    assert der.Cursor(core.Integer(value).dump()).integer() == value


@pytest.mark.parametrize("dotted", ["1.2.840.113549.1.7.1", "2.16.840.1.101.3.4.1.46", "1.3.132.0.34", "0.9.2342.1"])
def test_object_identifiers(dotted: str) -> None:
    assert der.tlv(der.OID, der.oid(dotted)) == core.ObjectIdentifier(dotted).dump()


@settings(deadline=None)
@given(st.binary(max_size=70_000))
def test_octet_strings_of_any_length(value: bytes) -> None:
    whole = der.tlv(der.OCTETS, value)
    assert whole == core.OctetString(value).dump()
    assert der.parse(whole, lambda c: c.octets()) == value


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_octets_in_pieces_of_indefinite_length_become_one(pieces: list[bytes]) -> None:
    streamed = b"\x24\x80" + b"".join(der.tlv(der.OCTETS, piece) for piece in pieces) + b"\0\0"
    nested = b"\x30\x80" + b"\x24\x80" + streamed + b"\0\0" + b"\0\0"
    assert der.parse(streamed, lambda c: c.octets()) == b"".join(pieces)
    assert der.definite(nested) == der.sequence(der.tlv(der.OCTETS, *pieces))


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x30", b"\x30\x80", b"\x30\x80\x00", b"\x30\x05\x02\x01", b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x85\x00\x00\x00\x00\x01", b"\x04\x80\x00\x00", b"\x1f\x01\x00", b"\x30\x00\x30\x00",
        b"\x30\x80\x00\x00\x00",
        b"\x24\x80\x02\x01\x01\x00\x00", b"\x30\x80\x1f\x80\x01\x00\x00\x00",
    ],
)  # fmt: skip
def test_what_is_cut_short_or_odd_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        der.parse(raw, lambda c: c.enter(der.SEQUENCE).close())
    with pytest.raises(Malformed):
        der.definite(raw)


@pytest.mark.parametrize(
    "raw",
    [b"\x30\x80" * 50_000, b"\x30\x80" + b"\x05\x00" * 1_000_000, (b"\x24\x80" * 31 + b"\x04\x01a") * 20_000],
    ids=["deep", "many", "deep and many"],
)
def test_depth_and_count_are_bounded_in_time(raw: bytes) -> None:
    before = time.process_time()
    with pytest.raises(Malformed):
        der.definite(raw)
    assert time.process_time() - before < 5


def test_a_length_of_four_gigabytes_allocates_nothing() -> None:
    with pytest.raises(Malformed):
        der.parse(b"\x30\x84\xff\xff\xff\xff\x00", lambda c: c.enter(der.SEQUENCE))


def test_the_largest_message_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(der, "MAX_BYTES", 10)
    with pytest.raises(Malformed):
        der.parse(der.tlv(der.OCTETS, bytes(20)), lambda c: c.octets())
