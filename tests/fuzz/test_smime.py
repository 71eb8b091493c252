"""S/MIME readers of bytes from strangers: only this room's errors escape, in bounded time."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto.smime import certificate, chain, der, envelope, identity, message, opening, reader, verifying
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.errors import Malformed, SmimeError
from carepost.crypto.smime.revocation import Evidence
from carepost.crypto.smime.signing import Signer
from tests.support.smime import MESSAGE, NOW, Authority

many = settings(max_examples=200, deadline=None)

CA = Authority()
TRUST = CA.trust()
NURSE, PAT = CA.issue("ec-p256"), CA.issue("rsa-2048", "pat@home.test", gcm=True)
KEYS = [NURSE, PAT]
BOTH = [Recipient(NURSE.certificate), Recipient(PAT.certificate, padded=True)]
SIGNER = Signer(NURSE)
STRUCTURES = [
    envelope.encrypt(MESSAGE, BOTH, gcm=False),
    envelope.encrypt(MESSAGE, BOTH, gcm=True),
    SIGNER.sign(MESSAGE, NOW),
    SIGNER.sign(MESSAGE, NOW, detached=False),
]
MESSAGES = [
    message.encrypt(MESSAGE, BOTH, NOW, signer=SIGNER, gcm=False),
    message.encrypt(MESSAGE, BOTH, NOW, gcm=True),
    message.sign(MESSAGE, SIGNER, NOW),
    message.sign(MESSAGE, SIGNER, NOW, opaque=True),
]
GOOD = {opening.open_(one, KEYS, TRUST, NOW).message for one in MESSAGES}
PKCS12 = identity.export_pkcs12(NURSE, "a long invented password")
TAGS = [bytes((tag,)) for tag in (0x02, 0x03, 0x04, 0x05, 0x06, 0x24, 0x30, 0x31, 0x80, 0xA0, 0xA1, 0xA2, 0x17, 0x1F)]
LENGTHS = [b"\0", b"\1", b"\x7f", b"\x80", b"\x81\xff", b"\x84\xff\xff\xff\xff", b"\x85\1\1\1\1\1", b"\0\0"]
pieces = st.lists(st.one_of(st.sampled_from(TAGS + LENGTHS), st.binary(max_size=6)), max_size=60).map(b"".join)


@st.composite
def changed(draw: st.DrawFn, whole: list[bytes]) -> bytes:
    """One of `whole` with up to four places cut out, put in, doubled or overwritten."""
    raw = draw(st.sampled_from(whole))
    for _ in range(draw(st.integers(min_value=1, max_value=4))):
        at = draw(st.integers(min_value=0, max_value=max(0, len(raw) - 1)))
        size = draw(st.integers(min_value=0, max_value=8))
        raw = raw[:at] + draw(st.one_of(pieces, st.just(raw[at : at + 40]))) + raw[at + size :]
    return raw


@given(st.one_of(pieces, changed(STRUCTURES)))
@many
def test_structures(raw: bytes) -> None:
    try:
        reader.decrypt(raw, KEYS)
    except SmimeError:
        pass
    try:
        found = verifying.read(raw)
        verifying.check(found, found.content or MESSAGE)
    except SmimeError:
        pass


@given(changed(MESSAGES))
@many
def test_messages(raw: bytes) -> None:
    opening.is_smime(raw)
    opening.recipients(raw)
    said, found = "", None
    try:
        found = opening.open_(raw, KEYS, TRUST, NOW)
    except SmimeError as error:
        said = f"{error} {error.detail}".lower()
    assert "canary" not in said
    if found is not None and found.verdict.valid:
        # whatever was changed, what is shown as valid is what was signed
        assert found.message in GOOD


@given(st.one_of(pieces, changed([NURSE.certificate.der, PAT.certificate.der, NURSE.certificate.pem()])))
@many
def test_certificates(raw: bytes) -> None:
    try:
        found = certificate.parse(raw)
    except SmimeError:
        return
    chain.judge(found, [raw], TRUST.store, NOW, TRUST.evidence)
    try:
        Recipient(found)
    except SmimeError:
        pass


@given(st.one_of(pieces, changed([CA.crl(PAT), CA.ocsp(NURSE)])))
@many
def test_revocation_evidence(raw: bytes) -> None:
    found = chain.judge(NURSE.certificate, (), TRUST.store, NOW, Evidence((raw,), (raw,)))
    assert found.revocation in ("good", "unknown") and found.fault == ""


@given(st.one_of(pieces, changed([PKCS12])))
@settings(max_examples=60, deadline=None)
def test_pkcs12(raw: bytes) -> None:
    try:
        identity.import_pkcs12(raw, "a long invented password")
    except SmimeError:
        pass


@given(pieces)
@many
def test_definite_lengths_are_definite(raw: bytes) -> None:
    try:
        made = der.definite(raw)
    except Malformed:
        return
    assert der.definite(made) == made


@pytest.mark.parametrize("raw", STRUCTURES, ids=["cbc", "gcm", "detached", "opaque"])
def test_every_prefix(raw: bytes) -> None:
    for at in range(0, len(raw), 7):
        with pytest.raises(SmimeError):
            reader.decrypt(raw[:at], KEYS)
        with pytest.raises(SmimeError):
            verifying.read(raw[:at])


def flipped(raw: bytes) -> Iterator[bytes]:
    """Every octet changed in two ways."""
    for at in range(len(raw)):
        for by in (0x01, 0xFF):
            yield raw[:at] + bytes((raw[at] ^ by,)) + raw[at + 1 :]


def test_every_octet_of_a_certificate() -> None:
    for raw in flipped(PAT.certificate.der):
        try:
            found = certificate.parse(raw)
        except SmimeError:
            continue
        judged = chain.judge(found, (), TRUST.store, NOW, TRUST.evidence)
        # the count of unused bits before the signature is nobody's to sign; all the certificate says is the same then
        assert judged.fault or found.x509.tbs_certificate_bytes == PAT.certificate.x509.tbs_certificate_bytes


@pytest.mark.parametrize("raw", [CA.crl(PAT), CA.ocsp(NURSE)], ids=["list", "answer"])
def test_every_octet_of_revocation_evidence(raw: bytes) -> None:
    """Nothing of it may say "good" that was not signed so."""
    for changed_raw in flipped(raw):
        for one, said in ((PAT, {"unknown", "revoked"}), (NURSE, {"unknown", "good"})):
            found = chain.judge(one.certificate, (), TRUST.store, NOW, Evidence((changed_raw,), (changed_raw,)))
            assert found.revocation in said


@pytest.mark.parametrize("raw", STRUCTURES, ids=["cbc", "gcm", "detached", "opaque"])
def test_every_octet_of_a_structure(raw: bytes) -> None:
    for changed_raw in flipped(raw):
        try:
            reader.decrypt(changed_raw, KEYS)
        except SmimeError:
            pass
        try:
            found = verifying.read(changed_raw)
            verifying.check(found, found.content or MESSAGE)
        except SmimeError:
            pass
