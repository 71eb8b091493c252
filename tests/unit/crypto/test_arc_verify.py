"""ARC chains (RFC 8617): what dkimpy finds whole holds here, what was touched does not, and nothing passes by it."""

import base64
import hashlib
import re

import dkim as peer
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from carepost.crypto import arc_verify, sender
from carepost.crypto.arc_verify import Chain
from carepost.rfc import asking
from carepost.rfc.asking import ABSENT, FAILED, Found, Question

pytestmark = pytest.mark.fast

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
DER = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
RECORD = b"v=DKIM1; k=rsa; p=" + base64.b64encode(DER)
MESSAGE = (
    b"From: Pat Example <pat@home.test>\r\nTo: nurse@clinic.test\r\nSubject: Canary\r\n"
    b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@home.test>\r\nMIME-Version: 1.0\r\n\r\n"
    b"The canary  is well.\r\n\r\n"
)


def answer(question: Question) -> Found:
    known = {"a._domainkey.list.test": RECORD, "a._domainkey.forward.test": RECORD}
    return Found(texts=(known[question.name],)) if question.name in known else ABSENT


def peers_dns(name: bytes, **_: object) -> bytes:
    return RECORD


def _relaxed(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t\r\n]+", b" ", value).strip()


def _body(raw: bytes) -> bytes:
    lines = raw.partition(b"\r\n\r\n")[2].split(b"\r\n")
    text = b"\r\n".join(re.sub(rb"[ \t]+", b" ", line).rstrip() for line in lines).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def _signed(data: bytes) -> bytes:
    return base64.b64encode(KEY.sign(data, padding.PKCS1v15(), hashes.SHA256()))


def sealed(raw: bytes, domain: bytes = b"list.test", cv: bytes = b"none") -> bytes:
    """As a forwarder does: what it found, its signature, its seal."""
    fields = re.split(rb"\r\n(?![ \t])", raw.partition(b"\r\n\r\n")[0])
    older = [one for one in fields if one.lower().startswith(b"arc-")]
    i = b"%d" % (len(older) // 3 + 1)
    found = b"ARC-Authentication-Results: i=" + i + b"; " + domain + b"; dkim=pass header.d=home.test"
    body = base64.b64encode(hashlib.sha256(_body(raw)).digest())
    ams = (
        b"ARC-Message-Signature: i=" + i + b"; a=rsa-sha256; c=relaxed/relaxed; d=" + domain + b"; s=a;\r\n"
        b"\th=from:subject:date; bh=" + body + b"; b="
    )
    named = [next(one for one in fields if one.lower().startswith(name)) for name in (b"from:", b"subject:", b"date:")]
    ams += _signed(b"\r\n".join([*map(_relaxed, named), _relaxed(ams)]))
    seal = b"ARC-Seal: i=" + i + b"; a=rsa-sha256; cv=" + cv + b"; d=" + domain + b"; s=a; b="
    names = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")
    chain = [
        one
        for n in range(1, int(i))
        for name in names
        for one in older
        if one.lower().startswith(name) and b"i=%d;" % n in one
    ]
    seal += _signed(b"\r\n".join(map(_relaxed, [*chain, found, ams, seal])))
    return b"\r\n".join((seal, ams, found)) + b"\r\n" + raw


def looked(raw: bytes) -> Chain:
    return asking.run(arc_verify.verify(raw), answer)


ONE = sealed(MESSAGE)
TWO = sealed(ONE, b"forward.test", b"pass")


def test_a_message_without_seals_has_no_chain() -> None:
    assert looked(MESSAGE) == Chain() and looked(MESSAGE.replace(b"Canary", b"ARC-Seal: i=1")) == Chain()


def test_what_dkimpy_finds_whole_holds_here() -> None:
    for raw, count, domain in ((ONE, 1, "list.test"), (TWO, 2, "forward.test")):
        assert looked(raw) == Chain("pass", "", domain, count)
        assert peer.arc_verify(raw, dnsfunc=peers_dns)[0] == b"pass"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda raw: raw.replace(b"is well", b"is sick"), "body-changed"),
        (lambda raw: raw.replace(b"Subject: Canary", b"Subject: Magpie"), "header-changed"),
        (lambda raw: raw.replace(b"dkim=pass", b"dkim=fail", 1), "seal-invalid"),
        (lambda raw: re.sub(rb"cv=none", b"cv=pass", raw), "cv"),
        (lambda raw: re.sub(rb"cv=pass", b"cv=fail", raw), "cv-fail"),
        (lambda raw: re.sub(rb"(?s)ARC-Seal: i=1;.*?\r\n(?=\S)", b"", raw), "gap"),
        (lambda raw: re.sub(rb"(?s)(ARC-Seal: i=2;.*?\r\n)(?=\S)", rb"\1\1", raw), "twice"),
        (lambda raw: raw.replace(b"i=2;", b"i=51;"), "instance"),
        (lambda raw: raw.replace(b"i=2;", b"i=3;"), "gap"),
        (lambda raw: raw.replace(b"i=2;", b"i=x;"), "instance"),
        (lambda raw: raw.replace(b"a=rsa-sha256", b"a=rsa-sha1"), "algorithm"),
        (lambda raw: raw.replace(b"d=forward.test", b"d=nobody.test"), "key-missing"),
    ],
    ids=[
        "body",
        "header",
        "results",
        "first-cv",
        "later-cv",
        "lost",
        "doubled",
        "many",
        "hole",
        "no-number",
        "sha1",
        "key",
    ],
)
def test_what_was_touched_fails_with_a_word(change: object, reason: str) -> None:
    touched = change(TWO)  # type: ignore[operator]
    assert touched != TWO
    found = looked(touched)
    assert (found.cv, found.reason) == ("fail", reason)


def test_a_key_that_cannot_be_asked_for_is_nobodys_fault() -> None:
    assert asking.run(arc_verify.verify(TWO), lambda _: FAILED).cv == "temperror"


def test_it_is_on_record_and_proves_nothing() -> None:
    """A chain that holds and says dkim=pass: the author stays unproved."""
    proved = asking.run(
        sender.prove(TWO, ("pat@home.test",), sender.Peer("192.0.2.1", "forward.test", "x@forward.test"), 1), answer
    )
    assert proved.arc.cv == "pass" and not proved.aligned and proved.facts()["arc"] == "pass"
    field = sender.field("mail.clinic.test", proved)
    assert b"\tarc=pass header.d=forward.test" in field and b"dmarc=none" in field
    without = asking.run(sender.prove(MESSAGE, ("pat@home.test",), sender.Peer(), 1), answer)
    assert "arc" not in without.facts() and b"\tarc=" not in sender.field("mail.clinic.test", without)
