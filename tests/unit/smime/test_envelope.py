"""Envelopes: any bytes come back; whatever is changed in an authenticated one is refused; limits and refusals."""

import os

import msgspec
import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, x25519
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto.smime import certificate, der, envelope, enveloped, oids, reader
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.errors import CannotOpen, CannotSeal, Malformed, NotForUs, SmimeError, Unsupported
from carepost.crypto.smime.identity import Identity
from tests.support.smime import Authority

pytestmark = pytest.mark.fast

CA = Authority()
ONES = {kind: CA.issue(kind) for kind in ("rsa-2048", "ec-p256", "ec-p384")}
STRANGER = Authority("Another CA").issue("rsa-2048", number=1)


def exchange_key() -> Identity:
    """X25519 cannot sign, so its certificate comes from an authority (RFC 8410)."""
    own = x25519.X25519PrivateKey.generate()
    return CA.issue("ec", key=own, usage=("key_agreement",))


ONES["x25519"] = exchange_key()


@pytest.mark.parametrize("gcm", [False, True])
@pytest.mark.parametrize("kind", ONES)
@settings(max_examples=15, deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes_come_back(kind: str, gcm: bool, content: bytes) -> None:
    one = ONES[kind]
    found = reader.decrypt(envelope.encrypt(content, [Recipient(one.certificate)], gcm=gcm), [STRANGER, one])
    assert (found.content, found.cipher, found.key) == (content, "gcm" if gcm else "cbc", one.certificate.fingerprint)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 127, 128, 255, 256, 65_535, 65_536, 1_000_000])
def test_every_length_of_length(size: int) -> None:
    content = os.urandom(size)
    for gcm in (False, True):
        made = envelope.encrypt(content, [Recipient(ONES["rsa-2048"].certificate)], gcm=gcm)
        assert reader.decrypt(made, [ONES["rsa-2048"]]).content == content


def test_asn1crypto_reads_what_is_written() -> None:
    recipients = [Recipient(ONES["rsa-2048"].certificate), Recipient(ONES["ec-p384"].certificate)]
    found = cms.ContentInfo.load(envelope.encrypt(b"text", recipients, gcm=False), strict=True)
    assert found["content_type"].native == "enveloped_data"
    data = found["content"]
    assert data["version"].native == "v2" and len(data["recipient_infos"]) == 2
    assert data["encrypted_content_info"]["content_encryption_algorithm"]["algorithm"].native == "aes256_cbc"
    alone = cms.ContentInfo.load(envelope.encrypt(b"text", recipients[:1], gcm=False), strict=True)
    assert alone["content"]["version"].native == "v0"
    authenticated = cms.ContentInfo.load(envelope.encrypt(b"text", recipients, gcm=True), strict=True)
    assert authenticated["content_type"].native == "authenticated_enveloped_data"


def test_gcm_only_where_every_recipient_says_so() -> None:
    """dependencies 1: gpgsm reads no AuthEnvelopedData."""
    can, cannot = CA.issue("rsa-2048", gcm=True), ONES["ec-p256"]
    assert reader.decrypt(envelope.encrypt(b"", [Recipient(can.certificate)]), [can]).cipher == "gcm"
    assert reader.decrypt(envelope.encrypt(b"", [Recipient(cannot.certificate)]), [cannot]).cipher == "cbc"
    both = envelope.encrypt(b"", [Recipient(can.certificate), Recipient(cannot.certificate)])
    assert reader.decrypt(both, [cannot]).cipher == "cbc"
    said = Recipient(cannot.certificate, frozenset({"aes256-gcm"}))
    assert reader.decrypt(envelope.encrypt(b"", [said]), [cannot]).cipher == "gcm"


def test_every_recipient_can_read_it_and_nobody_else() -> None:
    made = envelope.encrypt(b"text", [Recipient(one.certificate) for one in ONES.values()], gcm=True)
    for one in ONES.values():
        assert reader.decrypt(made, [one]).recipients == len(ONES)
    with pytest.raises(NotForUs):
        reader.decrypt(made, [STRANGER])
    with pytest.raises(NotForUs):
        reader.decrypt(made, [])


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        # RFC 4055: SHA-1 by default; SHA-256 twice, with NULL and without; SHA-256 with MGF1 of SHA-1
        ("300b06092a864886f70d010107", False),
        (
            "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108"
            "300d06096086480165030402010500",
            True,
        ),
        (
            "303806092a864886f70d010107302ba00d300b0609608648016503040201a11a301806092a864886f70d010108"
            "300b0609608648016503040201",
            True,
        ),
        ("301e06092a864886f70d0101073011a00f300d06096086480165030402010500", False),
    ],
)
def test_oaep_to_those_who_say_that_they_read_it(said: str, taken: bool) -> None:
    """RFC 8551 2.3 and 2.5.2, RFC 3560 6: by a capability with our parameters, else PKCS #1 1.5."""
    one = ONES["rsa-2048"]
    known = certificate.capabilities(der.sequence(bytes.fromhex(said)))
    made = envelope.encrypt(b"text", [Recipient(one.certificate, known)])
    assert (oids.OAEP in made) == taken and reader.decrypt(made, [one]).content == b"text"
    # of a key that agrees on a secret it says nothing
    assert oids.OAEP not in envelope.encrypt(b"text", [Recipient(ONES["ec-p256"].certificate, known)])


def test_bi_078_no_key_and_no_vector_twice() -> None:
    recipient = Recipient(ONES["ec-p256"].certificate)
    for gcm in (False, True):
        found = [enveloped.read(envelope.encrypt(b"the same", [recipient], gcm=gcm)) for _ in range(50)]
        assert len({one.parameters for one in found}) == len({one.sealed for one in found}) == 50
        assert len({one.infos[0].point for one in found}) == 50  # type: ignore[union-attr]


WHOLE = envelope.encrypt(b"The canary is well.", [Recipient(ONES["ec-p256"].certificate)], gcm=True)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=len(WHOLE) - 1), st.integers(min_value=1, max_value=255))
def test_any_flipped_byte_of_an_authenticated_message_is_refused(at: int, by: int) -> None:
    changed = WHOLE[:at] + bytes((WHOLE[at] ^ by,)) + WHOLE[at + 1 :]
    try:
        found = reader.decrypt(changed, [ONES["ec-p256"]])
    except SmimeError:
        return
    # only where nothing is protected by anyone: version numbers and the type of the content
    envelope_found = enveloped.read(changed)
    same = enveloped.read(WHOLE)
    assert found.content == b"The canary is well."
    assert (envelope_found.sealed, envelope_found.tag, envelope_found.parameters) == (
        same.sealed,
        same.tag,
        same.parameters,
    )


def test_bi_080_one_error_whatever_was_wrong_with_the_key() -> None:
    """Wrong padding, wrong length, wrong key, wrong content: the same error, and nothing of the content."""
    one = ONES["rsa-2048"]
    key = one.key.public_key()
    made = envelope.encrypt(b"x" * 64, [Recipient(one.certificate)], gcm=False)
    sealed = enveloped.read(made).infos[0].sealed
    said = set()
    assert isinstance(key, rsa.RSAPublicKey)
    for other in (
        key.encrypt(os.urandom(32), padding.PKCS1v15()), key.encrypt(os.urandom(16), padding.PKCS1v15()),
        os.urandom(255) + b"\1", bytes(256), b"\0" * 255 + b"\2", key.encrypt(b"", padding.PKCS1v15()),
    ):  # fmt: skip
        refused = 0
        for _ in range(3):
            try:
                # a wrong key leaves good padding behind once in 256 times; that is noise, which the caller refuses
                assert reader.decrypt(made.replace(sealed, other), [one]).content != b"x" * 64
            except CannotOpen as error:
                refused += 1
                said.add((error.code, error.public, error.detail))
        assert refused
    assert len(said) == 1


def test_bi_068_a_content_cipher_in_the_wrong_structure_is_refused() -> None:
    """AuthEnvelopedData turned into EnvelopedData, and the reverse; RC2 and 3DES."""
    made = envelope.encrypt(b"x" * 64, [Recipient(ONES["rsa-2048"].certificate)], gcm=True)
    for old, new in (
        (oids.AES256_GCM, oids.AES256_CBC),
        (oids.AUTH_ENVELOPED_DATA, der.oid("1.2.840.113549.1.9.16.1.22")),
    ):
        with pytest.raises(SmimeError):
            reader.decrypt(made.replace(old, new), [ONES["rsa-2048"]])
    plain = enveloped.read(envelope.encrypt(b"x" * 64, [Recipient(ONES["rsa-2048"].certificate)], gcm=False))
    for weak in ("1.2.840.113549.3.7", "1.2.840.113549.3.2", "1.3.14.3.2.7"):
        with pytest.raises(Unsupported):
            reader.open_(msgspec.structs.replace(plain, cipher=der.oid(weak)), [ONES["rsa-2048"]])
        with pytest.raises(Unsupported):
            reader.open_(msgspec.structs.replace(plain, authenticated=True), [ONES["rsa-2048"]])


@pytest.mark.parametrize("size", [0, 1, 4, 11])
def test_a_shortened_tag_is_refused(size: int) -> None:
    found = enveloped.read(WHOLE)
    cut = msgspec.structs.replace(found, tag=found.tag[:size], parameters=found.parameters[:-1] + bytes((size,)))
    with pytest.raises(Malformed):
        reader.open_(cut, [ONES["ec-p256"]])


def test_so_many_recipients_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enveloped, "MAX_RECIPIENTS", 3)
    made = envelope.encrypt(b"", [Recipient(ONES["rsa-2048"].certificate)] * 4)
    with pytest.raises(Malformed):
        reader.decrypt(made, [ONES["rsa-2048"]])


def test_a_key_that_cannot_be_encrypted_to() -> None:
    one = CA.issue("ec", key=ed25519.Ed25519PrivateKey.generate(), usage=("digital_signature",))
    with pytest.raises(CannotSeal):
        Recipient(one.certificate)
    with pytest.raises(CannotSeal):
        envelope.encrypt(b"", [])
