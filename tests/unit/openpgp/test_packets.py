"""The reader of OpenPGP frames: one reading or none (BI-068, BI-069)."""

import pytest

from carepost.crypto.openpgp import library, packets, signatures
from carepost.crypto.openpgp.errors import Malformed

pytestmark = pytest.mark.fast


@pytest.mark.parametrize("size", [0, 1, 191, 192, 8_383, 8_384, 70_000])
def test_every_length_is_read_in_both_formats(size: int) -> None:
    body = bytes(size)
    new = packets.frame(packets.LITERAL, body)
    old = bytes((0x80 | packets.LITERAL << 2 | 2,)) + size.to_bytes(4, "big") + body
    for raw in (new, old):
        found = packets.read(raw + new)
        assert [(p.tag, p.body) for p in found] == [(packets.LITERAL, body)] * 2


def test_pieces_are_joined() -> None:
    raw = bytes((0xC0 | packets.LITERAL, 0xE9)) + b"a" * 512 + b"\xe1" + b"bb" + b"\x01c"
    assert packets.read(raw)[0].body == b"a" * 512 + b"bbc"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x00", "packet"),
        (b"\xcb", "packet"),
        (b"\xcb\x05abc", "packet"),
        (b"\xcb\xff\xff\xff\xff\xffx", "packet"),
        (b"\xcb\xc0", "packet"),
        (b"\x9b\x00\x00", "packet"),
        (b"\xc0\x00", "packet-unknown"),
        (b"\xff\x00", "packet-unknown"),
        (b"\xcb\xe8" + b"a" * 256 + b"\x00", "packet-partial"),
        (b"\xc2\xe9" + b"a" * 512 + b"\x00", "packet-partial"),
        (b"\xcb\xe9" + b"a" * 512, "packet"),
        (b"\xcb\xe9" + b"a" * 512 + b"\xe0a" * 3_000 + b"\x00", "packet"),
    ],
)
def test_bi_068_a_frame_that_is_cut_or_has_two_readings_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        packets.read(raw)
    assert refused.value.code == code


def test_bi_069_a_million_packets_are_not_read() -> None:
    with pytest.raises(Malformed):
        packets.read(b"\xca\x03PGP" * 1_001)


def test_armor_there_and_back() -> None:
    data = bytes(range(256)) * 9
    text = library.armor(data, packets.MESSAGE)
    assert max(map(len, text.split(b"\r\n"))) <= 76
    assert packets.unwrap(text, packets.MESSAGE, most=10_000) == data
    plain = text.replace(b"\r\n\r\n", b"\r\nVersion: X\r\nComment: y z\r\n\r\n", 1).replace(b"\r\n", b"\n")
    assert packets.unwrap(b"\n " + plain + b"\n\n", packets.MESSAGE, most=10_000) == data
    head, _, tail = text.partition(b"\r\n=")
    assert packets.unwrap(head + tail[4:], packets.MESSAGE, most=10_000) == data
    assert packets.unwrap(head + b"\r\n=abcd" + tail[4:], packets.MESSAGE, most=10_000) == data


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t + b"trailing words",
        lambda t: b"-----BEGIN PGP MESSAGE-----\r\n" + t,
        lambda t: t.replace(b"END PGP MESSAGE", b"END PGP SIGNATURE"),
        lambda t: t.replace(b"MESSAGE", b"PUBLIC KEY BLOCK"),
        lambda t: t.replace(b"AAEC", b"A*EC"),
        lambda t: t.replace(b"AAEC", b"A=EC"),
        lambda t: t + t,
        lambda t: t[:-10],
    ],
)
def test_armor_that_is_not_one_whole_block_is_refused(spoil: object) -> None:
    text = library.armor(bytes(range(256)), packets.MESSAGE)
    with pytest.raises(Malformed):
        packets.unwrap(spoil(text), packets.MESSAGE, most=10_000)  # type: ignore[operator]


def test_over_the_size_is_refused_before_it_is_decoded() -> None:
    text = library.armor(bytes(20_000), packets.MESSAGE)
    with pytest.raises(Malformed) as refused:
        packets.unwrap(text, packets.MESSAGE, most=1_000)
    assert refused.value.code == "size"


def signature(*subpackets: bytes, unhashed: bytes = b"") -> bytes:
    area = b"".join(bytes((len(s),)) + s for s in subpackets)
    head = b"\x04\x00\x16\x08" + len(area).to_bytes(2, "big") + area
    return head + len(unhashed).to_bytes(2, "big") + unhashed + b"\x00\x00"


def test_what_a_signature_says_of_itself() -> None:
    said = signatures.read(
        signature(
            b"\x02\x00\x00\x00\x09", b"\x03\x00\x00\x00\x05", b"\x1b\x0c", b"\x21\x04" + b"\xaa" * 20, b"\x1e\x09"
        )
    )
    assert (said.created, said.expires, said.flags, said.features) == (9_000_000, 14_000_000, 0x0C, 9)
    assert (said.issuer, said.void) == ("aa" * 20, False)


def test_only_the_issuer_is_believed_outside_what_is_signed() -> None:
    outside = bytes((5,)) + b"\x02\x00\x00\x00\x09" + bytes((9,)) + b"\x10" + b"\xbb" * 8
    said = signatures.read(signature(unhashed=outside))
    assert (said.created, said.issuer_id) == (None, "bb" * 8)


@pytest.mark.parametrize(
    "subpackets",
    [
        (b"\x02\x00\x00\x00\x09", b"\x02\x00\x00\x00\x10"),
        (b"\x1b\x0c", b"\x1b\x02"),
        (b"\xe4\x00",),
    ],
)
def test_a_signature_that_says_a_thing_twice_or_what_nobody_knows_is_void(subpackets: tuple[bytes, ...]) -> None:
    assert signatures.read(signature(*subpackets)).void


@pytest.mark.parametrize(
    "raw", [b"", b"\x05" + bytes(20), b"\x04\x00\x16\x08\xff\xff", b"\x04\x00\x16\x08\x00\x02\x05\x02"]
)
def test_a_signature_that_is_cut_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        signatures.read(raw)


def test_old_signatures_have_nothing_but_their_version() -> None:
    assert signatures.read(b"\x03\x05\x00" + bytes(30)).void
