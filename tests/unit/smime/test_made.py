"""An encrypted message with what is known of it while it is made: what DKIM and a proof would find in its octets."""

import base64
import os

import pytest

from carepost.crypto import dkim
from carepost.crypto.smime import message, opening
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.signing import Signer
from carepost.rfc import message as rfc_message
from carepost.rfc.message import Head
from tests.support.smime import ADDRESS, MESSAGE, NOW, Authority

pytestmark = pytest.mark.fast

CA = Authority()
PAT, NURSE = CA.issue("rsa-2048", "pat@home.test"), CA.issue("ec-p256", ADDRESS)
TO, TRUST = Recipient(PAT.certificate), CA.trust()
TRACE = b"Received: by mail.clinic.test with ESMTPSA id 1;\r\n\tSat, 21 Nov 2026 12:00:00 +0000\r\n"
REST = b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>The canary is well.</p>\r\n"
MESSAGES = {
    "usual": MESSAGE,
    "trace": TRACE + MESSAGE,
    "many": b"From: A <nurse@clinic.test>\r\nTo: a@b.test, c@d.test,\r\n\te@f.test\r\nCc: Kim  <k@b.test>\r\n"
    b"Reply-To: <r@b.test>\r\nReferences: <1@b.test>\r\n <2@b.test>\r\nIn-Reply-To: <2@b.test>\r\n" + REST,
    "no subject": b"From: nurse@clinic.test\r\n" + REST,
    "automatic": b"From: nurse@clinic.test\r\nSubject: x\r\nAuto-Submitted: auto-generated\r\nList-Id: <l.b.test>\r\n"
    b"Feedback-ID: 1:2\r\nSender: s@clinic.test\r\n" + REST,
    "no body": b"From: nurse@clinic.test\r\nSubject: x\r\n",
    "long": MESSAGE + b"One more line of an invented report\r\n" * 9000,
}


@pytest.mark.parametrize("signed", [False, True], ids=["encrypted", "signed"])
@pytest.mark.parametrize("gcm", [False, True], ids=["cbc", "gcm"])
@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_known_is_what_dkim_finds(name: str, gcm: bool, signed: bool) -> None:
    signer = Signer(NURSE) if signed else None
    made = message.make(MESSAGES[name], [TO], NOW, gcm=gcm, signer=signer)
    assert made.body_hash == dkim.body_hash_relaxed(made.data)
    assert made.header == dkim.canonical(dkim.split(made.data)[0])
    assert b"canary" not in made.data.lower()
    found = opening.open_(made.data, [PAT], TRUST, NOW)
    assert found.layers == (("gcm" if gcm else "cbc"), *(("signed",) if signed else ()))


def test_a_header_that_was_read_at_the_door_is_not_read_again_and_no_others_is_taken_for_it() -> None:
    """What is inside is octet for octet the same; a Sender that was put before it since then makes it another's."""
    head, late = Head.of(rfc_message.read(MESSAGE), len(TRACE)), b"Sender: office@clinic.test\r\n"
    for body in (TRACE + MESSAGE, late + TRACE + MESSAGE):
        known, again = (message.make(body, [TO], NOW, known=one) for one in (head, None))
        inside, other = (opening.open_(one.data, [PAT], TRUST, NOW).message for one in (known, again))
        assert inside == other and (b"office@clinic.test" in inside) == body.startswith(late)
        assert dkim.split(known.data)[0] == dkim.split(again.data)[0]


@pytest.mark.parametrize("size", [*range(1, 120), 57 * 63, 57 * 64, 57 * 64 + 1, 57 * 65, 57 * 128 - 1, 57 * 8192 + 1])
def test_base64_of_every_length_has_lines_of_76_and_ends_with_one(size: int) -> None:
    raw = os.urandom(size)
    coded = base64.b64encode(raw)
    assert message.base64(raw) == b"".join(coded[at : at + 76] + b"\r\n" for at in range(0, len(coded), 76))
