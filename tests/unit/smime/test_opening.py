"""Messages made and opened: what is protected comes back, and a verdict never says more than is so (BI-074, BI-075)."""

import base64
from typing import Any

import msgspec
import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.crypto.smime import message, opening, reader, usable
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.errors import CannotOpen, CannotSeal, Malformed, NotForUs
from carepost.crypto.smime.opening import Opened
from carepost.crypto.smime.signing import Signer
from carepost.rfc import message as rfc_message
from carepost.rfc import mime, parts
from tests.support.smime import ADDRESS, DAY, MESSAGE, NOW, Authority

pytestmark = pytest.mark.fast

CA = Authority()
TRUST = CA.trust()
NURSE = CA.issue("ec-p256")
PAT = CA.issue("rsa-2048", "pat@home.test")
SIGNER, RECIPIENT = Signer(NURSE), Recipient(PAT.certificate)
HEAD, _, BODY = MESSAGE.partition(b"\r\n\r\n")


def opened(raw: bytes, trust: usable.Trust = TRUST, at: int = NOW) -> Opened:
    return opening.open_(raw, [PAT], trust, at)


@pytest.mark.parametrize("gcm", [False, True])
@pytest.mark.parametrize("signed", [False, True])
def test_there_and_back(gcm: bool, signed: bool) -> None:
    made = message.encrypt(MESSAGE, [RECIPIENT], NOW, signer=SIGNER if signed else None, gcm=gcm)
    assert opening.is_smime(made) and b"canary" not in made.lower()
    found = opened(made)
    read = rfc_message.read(found.message)
    assert read.subject == "Canary results" and read.from_[0].name == "Nurse Example"
    assert mime.read(found.message).text == "The canary is well.\n"
    assert found.layers == (("gcm" if gcm else "cbc"), *(["signed"] if signed else []))
    assert found.verdict.encrypted == found.layers[0]
    assert (found.verdict.signed, found.verdict.valid, found.verdict.reasons) == (signed, signed, ())
    assert found.protection == "cipher" and "subject" in found.hidden
    assert ("unauthenticated-cipher" in found.verdict.notes) == (not gcm and not signed)
    assert found.key == PAT.certificate.fingerprint
    assert "canary" not in repr(found).lower()


@pytest.mark.parametrize("opaque", [False, True])
def test_signed_alone(opaque: bool) -> None:
    made = message.sign(MESSAGE, SIGNER, NOW, opaque=opaque)
    found = opened(made)
    assert b"Subject: Canary results\r\n" in made
    assert (b"The canary is well." in made) == (not opaque)
    assert found.verdict.valid and found.layers == ("signed",) and found.protection == "clear"
    (signer,) = found.verdict.signers
    assert signer.certificate is not None and signer.certificate.fingerprint == NURSE.certificate.fingerprint
    assert (signer.signed_at, signer.revocation) == (NOW, "good") and "aes256-gcm" in signer.capabilities
    assert mime.read(found.message).text == "The canary is well.\n"


@pytest.mark.parametrize(("kind", "name"), [("ec-p256", "sha256"), ("rsa-2048", "sha256"), ("ec-p384", "sha384")])
def test_micalg_names_the_digest_of_the_signature(kind: str, name: str) -> None:
    """RFC 8551 3.5.3.2."""
    signed = message.sign(MESSAGE, Signer(CA.issue(kind)), NOW)
    raw = base64.b64decode(signed[signed.rindex(b"\r\n\r\n") :].partition(b"--=_")[0])
    (info,) = cms.ContentInfo.load(raw)["content"]["signer_infos"]
    assert info["digest_algorithm"]["algorithm"].native == name
    assert b"micalg=" + name.replace("sha", "sha-").encode() + b";" in signed


def test_eight_bits_are_signed_as_seven_or_opaque_or_not_at_all() -> None:
    eight = MESSAGE.replace(b"canary is", "canary \u00e9 is".encode())
    readable = message.sign(eight, SIGNER, NOW)
    assert readable.isascii() and opened(readable).verdict.valid
    assert "canary \u00e9 is" in mime.read(opened(readable).message).text
    forwarded = HEAD.replace(b"text/plain; charset=utf-8", b"message/rfc822") + b"\r\n\r\n" + eight
    with pytest.raises(CannotSeal, match="without changing"):
        message.sign(forwarded, SIGNER, NOW)
    assert opened(message.sign(eight, SIGNER, NOW, opaque=True)).verdict.valid
    both = opened(message.encrypt(eight, [RECIPIENT], NOW, signer=SIGNER))
    assert both.verdict.valid and "\u00e9" in mime.read(both.message).text


def test_a_message_that_is_none_of_it_is_left_alone() -> None:
    found = opened(MESSAGE)
    assert (found.message, found.layers, found.verdict.signed, found.verdict.valid) == (MESSAGE, (), False, False)
    assert not opening.is_smime(MESSAGE) and not opening.is_smime(b"")


def test_bcc_and_triggers_are_nowhere() -> None:
    raw = MESSAGE.replace(b"To: ", b"Bcc: secret@home.test\r\nX-Carepost-Secret: hidden\r\nTo: ")
    found = opened(message.encrypt(raw, [RECIPIENT], NOW))
    assert b"secret@" not in found.message and b"hidden" not in found.message


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=300))
def test_any_text_comes_back(text: str) -> None:
    raw = MESSAGE + text.encode() + b"\r\n"
    found = opened(message.encrypt(raw, [RECIPIENT], NOW, signer=SIGNER, gcm=True))
    assert found.message.endswith(raw.partition(b"\r\n\r\n")[2]) and found.verdict.valid


def test_what_its_sender_signed_himself_is_encrypted_around_his_signature() -> None:
    """A client signs, the gateway encrypts: subject and signature both arrive."""
    inner = message.clear_signed(b"Content-Type: text/plain\r\n\r\nThe canary is well.\r\n", SIGNER, NOW)
    raw = HEAD.replace(b"\r\nContent-Type: text/plain; charset=utf-8", b"") + b"\r\n" + inner
    for gcm in (False, True):
        found = opened(message.encrypt(raw, [RECIPIENT], NOW, gcm=gcm))
        assert found.layers == ("gcm" if gcm else "cbc", "signed") and found.verdict.valid
        assert found.verdict.notes == ("header-unsigned",)
        assert rfc_message.read(found.message).subject == "Canary results" and b"multipart/signed" in found.message
        assert opened(found.message).verdict.valid


def test_somebody_elses_message() -> None:
    with pytest.raises(NotForUs):
        opened(message.encrypt(MESSAGE, [Recipient(NURSE.certificate)], NOW))


# Signatures that do not count, and why


def reasons(raw: bytes, trust: usable.Trust = TRUST, at: int = NOW) -> tuple[str, ...]:
    found = opened(raw, trust, at).verdict
    assert found.signed and not found.valid and found.reasons
    return found.reasons


SIGNED = message.sign(MESSAGE, SIGNER, NOW)


def by(**more: Any) -> bytes:
    return message.sign(MESSAGE, Signer(CA.issue(**more)), NOW)


def test_bi_074_a_good_signature_of_somebody_else() -> None:
    assert reasons(by(address="doctor@clinic.test")) == ("wrong-address",)
    assert reasons(by(address="")) == ("no-address",)


def test_bi_074_an_expired_certificate() -> None:
    old = {"start": NOW - 9 * DAY, "end": NOW - DAY}
    assert reasons(by(**old)) == ("expired", "expired-at-signing")
    late = message.sign(MESSAGE, Signer(CA.issue(**old)), NOW - 2 * DAY)
    assert reasons(late) == ("expired",)
    # it came while the certificate held: what ran out since does not spoil it
    assert opened(late, CA.trust(CA.crl(start=NOW - 9 * DAY)), NOW - 2 * DAY).verdict.valid


def test_a_certificate_that_did_not_hold_yet_and_a_clock_ahead() -> None:
    assert "not-yet-valid-at-signing" in reasons(message.sign(MESSAGE, SIGNER, NOW - 20 * DAY))
    assert reasons(message.sign(MESSAGE, SIGNER, NOW + DAY)) == ("signed-in-future",)


def test_revoked_unknown_and_stranger() -> None:
    assert reasons(SIGNED, CA.trust(CA.crl(NURSE))) == ("revoked",)
    assert reasons(SIGNED, CA.trust(b"no list")) == ("revocation-unknown",)
    assert opened(SIGNED, CA.trust(b"no list", unknown_ok=True)).verdict.valid
    stranger = message.sign(MESSAGE, Signer(Authority("Another CA").issue()), NOW)
    assert reasons(stranger) == ("unknown-issuer",)


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"usage": ("key_agreement",)}, "key-usage"), ({"kind": "rsa-1024"}, "weak-key"), ({"ca": True}, "authority")],
)
def test_a_certificate_that_is_not_for_signing(more: dict[str, Any], reason: str) -> None:
    assert reason in reasons(by(**more))


def test_an_intermediate_in_the_message_is_used() -> None:
    between = Authority("Between", CA)
    made = message.sign(MESSAGE, Signer(between.issue()), NOW)
    assert opened(made, CA.trust(CA.crl(), between.crl())).verdict.valid


def test_tampered_text_is_named() -> None:
    found = opened(SIGNED.replace(b"is well", b"is ill "))
    assert found.verdict.reasons == ("digest-differs",) and found.verdict.tampered


def test_bi_075_another_from_or_subject_outside() -> None:
    """The protected ones are shown where a signature vouches for them; the difference is never "valid"."""
    forged = SIGNED.replace(b"Subject: Canary results", b"Subject: Pay this bill", 1)
    assert rfc_message.read(opened(forged).message).subject == "Canary results"
    other = SIGNED.replace(b"<nurse@clinic.test>", b"<chief@bank.test>", 1)
    found = opened(other)
    assert found.verdict.reasons == ("from-differs",)
    assert rfc_message.read(found.message).from_[0].address == ADDRESS


def test_bi_075_an_inner_from_nobody_vouches_for_is_not_shown() -> None:
    """Signed by another of the same authority, the chief's name inside."""
    forged = MESSAGE.replace(b"nurse@clinic.test", b"chief@clinic.test")
    made = message.sign(forged, SIGNER, NOW).replace(b"<chief@clinic.test>", b"<nurse@clinic.test>", 1)
    found = opened(made)
    assert "from-differs" in found.verdict.reasons and not found.verdict.valid
    assert rfc_message.read(found.message).from_[0].address == ADDRESS


def test_two_senders_are_vouched_for_by_nobody() -> None:
    raw = MESSAGE.replace(b"To: ", b"Sender: nurse@clinic.test\r\nTo: ").replace(
        b"From: Nurse Example <nurse@clinic.test>", b"From: nurse@clinic.test, chief@clinic.test"
    )
    assert "from-many" in reasons(message.sign(raw, SIGNER, NOW))


def test_a_signature_without_header_protection_counts_for_the_from_outside() -> None:
    """What Outlook and openssl write: RFC 8551 without RFC 9788."""
    inner = message.clear_signed(b"Content-Type: text/plain\r\n\r\nThe canary is well.\r\n", SIGNER, NOW)
    plain = HEAD.replace(b"\r\nContent-Type: text/plain; charset=utf-8", b"") + b"\r\n" + inner
    found = opened(plain)
    assert found.verdict.valid and "header-unprotected" in found.verdict.notes and found.protection == ""
    assert reasons(plain.replace(b"nurse@clinic.test", b"chief@clinic.test", 1)) == ("wrong-address",)


# What is not the whole message


def around(*parts: bytes) -> bytes:
    mark = b"outer-mark"
    head = HEAD.replace(b"text/plain; charset=utf-8", b'multipart/mixed; boundary="outer-mark"')
    return (
        head
        + b"\r\n\r\n"
        + b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts)
        + b"--"
        + mark
        + b"--\r\n"
    )


FOOTER = b"Content-Type: text/plain\r\n\r\nUnsigned words of somebody else.\r\n"


def entity(raw: bytes) -> bytes:
    return raw[raw.index(b"Content-Type: ") :]


def test_bi_074_a_signed_part_beside_others_is_not_the_message() -> None:
    """Wrapped: RFC 9787, one summary for the message or none."""
    inner = message.clear_signed(b"Content-Type: text/plain\r\n\r\nThe canary is well.\r\n", SIGNER, NOW)
    for wrapped in (around(inner, FOOTER), around(FOOTER, inner), around(inner)):
        found = opened(wrapped)
        assert not found.verdict.valid and not found.verdict.signed and found.layers == ()
        assert found.verdict.notes == ("signed-part-not-root",) and found.message == wrapped


def test_bi_067_an_encrypted_part_beside_others_stays_closed() -> None:
    """EFAIL's direct way: the parts are never put into one page, for nothing is decrypted."""
    secret = entity(message.encrypt(MESSAGE, [RECIPIENT], NOW))
    before = b'Content-Type: text/html\r\n\r\n<img src="http://evil.test/\r\n'
    after = b'Content-Type: text/html\r\n\r\n">\r\n'
    found = opened(around(before, secret, after))
    assert found.verdict.notes == ("encrypted-part-not-root",) and found.verdict.encrypted == ""
    assert b"The canary" not in found.message


def test_a_signed_part_with_more_than_a_signature_beside_it() -> None:
    inner = message.clear_signed(b"Content-Type: text/plain\r\n\r\nThe canary is well.\r\n", SIGNER, NOW)
    mark = inner.partition(b'boundary="')[2].partition(b'"')[0]
    plain = HEAD.replace(b"\r\nContent-Type: text/plain; charset=utf-8", b"") + b"\r\n"
    three = inner.replace(b"--" + mark + b"--", b"--" + mark + b"\r\n" + FOOTER + b"\r\n--" + mark + b"--")
    assert reasons(plain + three) == ("malformed",)
    alone = inner[: inner.rindex(b"\r\n--" + mark + b"\r\n")] + b"\r\n--" + mark + b"--\r\n"
    assert reasons(plain + alone) == ("malformed",)
    assert reasons(plain + inner.replace(b"pkcs7-signature; name", b"octet-stream; name")) == ("malformed",)


def test_a_signature_outside_of_the_encryption_is_not_one_of_the_content() -> None:
    """Anyone may take it off and put his own on."""
    sealed = message.encrypt(MESSAGE, [RECIPIENT], NOW, gcm=True)
    outside = HEAD.replace(b"\r\nContent-Type: text/plain; charset=utf-8", b"") + b"\r\n"
    found = opened(outside + message.clear_signed(entity(sealed), SIGNER, NOW))
    assert found.layers == ("signed", "gcm") and not found.verdict.signed and not found.verdict.valid
    assert "signed-outside-encryption" in found.verdict.notes


def test_signed_by_one_good_and_one_bad_is_not_valid() -> None:
    stranger = Signer(Authority("Another CA").issue())
    twice = message.clear_signed(b"Content-Type: text/plain\r\n\r\nThe canary is well.\r\n", SIGNER, NOW)
    outside = HEAD.replace(b"\r\nContent-Type: text/plain; charset=utf-8", b"") + b"\r\n"
    found = opened(outside + message.clear_signed(twice, stranger, NOW))
    assert found.layers == ("signed", "signed") and found.verdict.reasons == ("unknown-issuer",)


def test_an_opaque_message_a_gateway_renamed() -> None:
    """RFC 8551 3.9: application/octet-stream with the name smime.p7m."""
    made = message.encrypt(MESSAGE, [RECIPIENT], NOW, gcm=False)
    renamed = made.replace(b"application/pkcs7-mime; smime-type=enveloped-data", b"application/octet-stream")
    assert opened(renamed).layers == ("cbc",)
    mistyped = made.replace(b"smime-type=enveloped-data", b"smime-type=signed-data")
    assert opened(mistyped).layers == ("cbc",)


@pytest.mark.parametrize("body", [b"", b"AAAA", b"not base64!", b"MIAGCSqGSIb3DQEHA6CAMIACAQA="])
def test_what_is_no_cms_is_malformed(body: bytes) -> None:
    head = (
        HEAD.replace(b"text/plain; charset=utf-8", b"application/pkcs7-mime") + b"\r\nContent-Transfer-Encoding: base64"
    )
    with pytest.raises(Malformed):
        opened(head + b"\r\n\r\n" + body + b"\r\n")


def test_layer_upon_layer_ends() -> None:
    raw = MESSAGE
    for _ in range(6):
        raw = message.encrypt(raw, [RECIPIENT], NOW, gcm=True)
    found = opened(raw)
    assert len(found.layers) == opening.MAX_LAYERS and b"The canary" not in found.message


def test_noise_in_cbc_stays_closed_in_gcm_it_is_a_message() -> None:
    """BI-068: eight bits that are no UTF-8 are what a changed block looks like."""
    odd = MESSAGE.replace(b"canary is", b"canary \xe9\x01 is")
    with pytest.raises(CannotOpen):
        opened(message.encrypt(odd, [RECIPIENT], NOW, gcm=False))
    assert opened(message.encrypt(odd, [RECIPIENT], NOW, gcm=True)).message.endswith(b"\xe9\x01 is well.\r\n")
    assert opened(message.encrypt(odd, [RECIPIENT], NOW, gcm=False, signer=SIGNER)).verdict.valid


def test_old_readers_find_the_subject_in_the_text_and_new_ones_do_not() -> None:
    """RFC 9788 5.2.2: what Outlook shows, and what we show."""
    made = message.encrypt(MESSAGE, [RECIPIENT], NOW, signer=SIGNER)
    _, spans = parts.outermost(reader.decrypt(mime.decode(made, parts.outermost(made)[0]), [PAT]).content)
    inner = reader.decrypt(mime.decode(made, parts.outermost(made)[0]), [PAT]).content[slice(*spans[0])]
    assert mime.read(inner).text == "Subject: Canary results\n\nThe canary is well.\n"
    found = opened(made)
    assert found.verdict.valid and mime.read(found.message).text == "The canary is well.\n"
    plain = message.encrypt(MESSAGE, [RECIPIENT], NOW, display=False)
    assert b"hp-legacy" not in reader.decrypt(mime.decode(plain, parts.outermost(plain)[0]), [PAT]).content


def test_who_is_asked_for_a_key_before_any_is_unwrapped() -> None:
    made = message.encrypt(MESSAGE, [RECIPIENT, Recipient(NURSE.certificate)], NOW, signer=SIGNER)
    named = {PAT.certificate.issuer_and_serial, NURSE.certificate.issuer_and_serial}
    assert set(opening.recipients(made)) == named
    outside = HEAD.replace(b"\r\nContent-Type: text/plain; charset=utf-8", b"") + b"\r\n"
    assert set(opening.recipients(outside + message.clear_signed(entity(made), SIGNER, NOW))) == named
    for raw in (MESSAGE, SIGNED, message.sign(MESSAGE, SIGNER, NOW, opaque=True), b"", made[:900]):
        assert opening.recipients(raw) == ()


class Elsewhere:
    """A private key in a device: nothing comes out but answers, and only these questions are known."""

    def __init__(self, inner: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, *questions: str) -> None:
        self._inner, self._questions, self.asked = inner, questions, set[str]()

    def __getattr__(self, name: str) -> object:
        if name not in ("public_key", "key_size", "curve", *self._questions):
            raise AssertionError(f"a key in a device was asked for {name}")
        self.asked.add(name)
        return getattr(self._inner, name)


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256"])
def test_a_private_key_may_be_kept_elsewhere(kind: str) -> None:
    one = CA.issue(kind)
    abstract = rsa.RSAPrivateKey if kind.startswith("rsa") else ec.EllipticCurvePrivateKey
    kept = type("Kept", (Elsewhere,), {})
    abstract.register(kept)
    own = kept(one.key, "sign", "decrypt" if kind.startswith("rsa") else "exchange")
    there = msgspec.structs.replace(one, key=own)
    made = message.encrypt(MESSAGE, [Recipient(one.certificate)], NOW, signer=Signer(there))
    assert opening.open_(made, [there], TRUST, NOW).verdict.valid
    assert own.asked >= {"sign", "decrypt" if kind.startswith("rsa") else "exchange"}
