"""DKIM: whatever we sign, dkimpy accepts; whatever is changed, it refuses (RFC 6376, RFC 8463, HS-38)."""

import base64
import hashlib

import dkim as peer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto import dkim

pytestmark = pytest.mark.fast

KEYS = {algorithm: dkim.generate(algorithm) for algorithm in (dkim.RSA, dkim.ED25519)}
SIGNERS = {a: dkim.Signer("clinic.test", a[:3], a, private) for a, (private, _) in KEYS.items()}
HEADER = (
    b"Received: from x by y; z\r\nFrom: Dr Ada Example <ada@clinic.test>\r\nTo: Bo <bo@verified.test>,\r\n\tCy "
    b"<cy@x.test>\r\nsubject:  Your \t visit\r\n  on Monday  \r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <1@clinic.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nX-Empty:\r\n"
)


def accepted(signed: bytes) -> bool:
    def txt(name: bytes, timeout: int = 5) -> bytes:
        selector = name.decode().split(".")[0]
        return next(record for a, (_, record) in KEYS.items() if a[:3] == selector).encode()

    return bool(peer.verify(signed, dnsfunc=txt))


def all_accepted(signed: bytes, count: int) -> bool:
    def txt(name: bytes, timeout: int = 5) -> bytes:
        selector = name.decode().split(".")[0]
        return next(record for a, (_, record) in KEYS.items() if a[:3] == selector).encode()

    verifier = peer.DKIM(signed)
    return all(verifier.verify(idx=i, dnsfunc=txt) for i in range(count))


NASTY = [
    b"",
    b"\r\n",
    b"\r\n\r\n\r\n",
    b" \r\n\t\r\n  \r\n",
    b"one line\r\n",
    b"trailing space \r\ntrailing tab\t\r\nboth \t \r\n",
    b"\tleading tab\r\n  leading spaces\r\n",
    b"a  b\t\tc \t d\r\n",
    b"text\r\n\r\n\r\n \r\n\t \r\n",
    b"x" * 5000 + b"\r\n",
    b" " * 3000 + b"\r\nend\r\n",
    b".\r\n..\r\n.dot\r\n",
    b"\r\n\r\nlate start\r\n",
    b"\x00\xff\xfe\r\n",
    "caf\u00e9\u00a0\u2028\u0085\r\n".encode(),
    b"\x0b\x0c form feed \x0b\r\n",
]


@pytest.mark.parametrize("algorithm", [dkim.RSA, dkim.ED25519])
@pytest.mark.parametrize("body", NASTY)
def test_nasty_bodies_are_signed_as_the_peer_reads_them(algorithm: str, body: bytes) -> None:
    raw = HEADER + b"\r\n" + body
    assert accepted(SIGNERS[algorithm].sign(raw, 1_700_000_000) + raw)


_lines = st.lists(
    st.text(alphabet=st.sampled_from("ab \t.\u00e9<>="), max_size=12).map(lambda t: t.encode()), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(lines=_lines)
def test_any_body_is_signed_as_the_peer_reads_it(lines: list[bytes]) -> None:
    raw = HEADER + b"\r\n" + b"".join(line + b"\r\n" for line in lines)
    assert accepted(SIGNERS[dkim.ED25519].sign(raw, 1) + raw)
    signature = peer.sign(
        raw,
        b"s",
        b"clinic.test",
        _peer_key(),
        signature_algorithm=b"ed25519-sha256",
        canonicalize=(b"relaxed", b"relaxed"),
    )
    assert base64.b64encode(dkim.body_hash_relaxed(raw)) in signature.replace(b"\r\n ", b"")


def _peer_key() -> bytes:
    return base64.b64encode(bytes(range(32)))


_value = st.text(alphabet=st.sampled_from("ab \t:;,\u00e9"), max_size=20).map(lambda t: t.encode())


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(
        st.tuples(st.sampled_from([b"To", b"cC", b"SUBJECT", b"X-A", b"Reply-To"]), _value, _value), max_size=6
    )
)
def test_any_header_is_signed_as_the_peer_reads_it(values: list[tuple[bytes, bytes, bytes]]) -> None:
    header = b"From: a@clinic.test\r\n"
    for name, value, more in values:
        # a continuation line of white space alone is obsolete syntax (RFC 5322 4.2), refused at the door
        fold = b"\r\n " + more if more.strip() and value.strip() else b""
        header += name + b":" + value + fold + b"\r\n"
    raw = header + b"\r\nbody\r\n"
    assert accepted(SIGNERS[dkim.ED25519].sign(raw, 1) + raw)


@pytest.mark.parametrize("raw", [b"From: a@clinic.test\r\n\r\n", HEADER + b"\r\n"])
def test_a_message_without_a_body(raw: bytes) -> None:
    assert accepted(SIGNERS[dkim.ED25519].sign(raw, 1) + raw)
    assert dkim.body_hash_relaxed(raw) == hashlib.sha256(b"").digest()


def test_several_signers_share_one_body_hash_and_each_is_accepted() -> None:
    raw = HEADER + b"\r\nHello  there \r\n"
    signed = dkim.sign_all(raw, [SIGNERS[dkim.ED25519], SIGNERS[dkim.RSA]], 1_700_000_000)
    assert signed.count(b"DKIM-Signature: ") == 2
    assert signed.endswith(b"\r\n")
    assert all(len(line) <= 78 + 20 for line in signed.split(b"\r\n"))
    assert all_accepted(signed + raw, 2)
    known = dkim.sign_all(raw, [SIGNERS[dkim.ED25519]], 1_700_000_000, dkim.body_hash_relaxed(raw))
    assert signed.startswith(known)


def _change(raw: bytes, old: bytes, new: bytes) -> bytes:
    assert old in raw
    return raw.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\r\nHello", b"\r\nHullo"),
        (b"subject:  Your", b"subject:  My"),
        (b"From: Dr", b"From: Eve <eve@clinic.test>\r\nFrom: Dr"),
        (b"subject:", b"Subject: Win\r\nsubject:"),
        (b"MIME-Version", b"Reply-To: eve@evil.test\r\nMIME-Version"),
        (b"MIME-Version", b"Cc: eve@evil.test\r\nMIME-Version"),
        (b"MIME-Version", b"List-Unsubscribe: <https://evil.test/>\r\nMIME-Version"),
        (b"text/plain", b"text/html"),
        (b"there\r\n", b"there\r\nAppended\r\n"),
    ],
)
def test_a_field_changed_or_added_and_a_body_appended_break_the_signature(old: bytes, new: bytes) -> None:
    """Oversigning: no second From, Subject, Reply-To, Cc or List-Unsubscribe; no `l=`."""
    raw = HEADER + b"\r\nHello there\r\n"
    signed = SIGNERS[dkim.ED25519].sign(raw, 1) + raw
    assert accepted(signed)
    assert not accepted(_change(signed, old, new))


def test_what_later_hops_add_leaves_the_signature_whole() -> None:
    raw = HEADER + b"\r\nHello there\r\n"
    signed = SIGNERS[dkim.RSA].sign(raw, 1) + raw
    assert accepted(b"Received: by hop.test; now\r\nAuthentication-Results: hop.test; none\r\n" + signed)


def test_the_signature_never_limits_its_length_and_names_oversigned_fields() -> None:
    field = SIGNERS[dkim.ED25519].sign(HEADER + b"\r\nx\r\n", 1_700_000_000).replace(b"\r\n\t", b" ")
    tags = dict(tag.strip().split(b"=", 1) for tag in field.split(b":", 1)[1].split(b";"))
    assert b"l" not in tags
    assert (tags[b"a"], tags[b"c"], tags[b"d"], tags[b"t"]) == (
        b"ed25519-sha256",
        b"relaxed/relaxed",
        b"clinic.test",
        b"1700000000",
    )
    names = [n.strip().lower() for n in tags[b"h"].split(b":")]
    for name, times in (
        (b"from", 2),
        (b"to", 2),
        (b"cc", 1),
        (b"subject", 2),
        (b"reply-to", 1),
        (b"list-unsubscribe", 1),
    ):
        assert names.count(name) == times


def test_keys_that_do_not_fit_are_refused() -> None:
    private, _ = KEYS[dkim.RSA]
    with pytest.raises(ValueError):
        dkim.Signer("clinic.test", "s", dkim.ED25519, private)
    with pytest.raises(ValueError):
        dkim.Signer("clinic.test", "s; x=1", dkim.RSA, private)
    with pytest.raises(ValueError):
        dkim.generate("rsa-sha1")


def test_blank_lines_without_end_cost_no_time() -> None:
    body = b"\r\n" * 500_000 + b" \r\n" * 100_000
    assert dkim.relaxed_body(body) == b""
    assert dkim.relaxed_body(b"x" + b" " * 1_000_000 + b"y\r\n") == b"x y\r\n"


def test_the_published_record_is_one_tag_list() -> None:
    for algorithm, (_, record) in KEYS.items():
        assert record.startswith("v=DKIM1; k=" + ("rsa" if algorithm == dkim.RSA else "ed25519") + "; p=")
