"""What a session heard of REQUIRETLS (RFC 8689), as the one door is told."""

import pytest

from carepost.directory.types import Credential
from carepost.policy.types import Assurance
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Identity
from carepost.reception.smtp.effects import Accept
from carepost.reception.smtp.handover import submission
from carepost.rfc.envelope import Envelope, Recipient

pytestmark = pytest.mark.fast

NURSE = Identity(Credential("nurse", b"willow-clinic-00", "nurse", ""), 1)
ENVELOPE = Envelope("nurse@willow.test", (Recipient("jane.roe@there.test"),))
BODY = b"From: nurse@willow.test\r\n\r\nThe canary is well.\r\n"


@pytest.mark.parametrize("minimum", [None, Assurance.VERIFIED, Assurance.MESSAGE], ids=["none", "verified", "message"])
async def test_it_raises_what_the_message_asks_for_and_lowers_nothing(minimum: Assurance | None) -> None:
    field = b"" if minimum is None else f"X-Carepost-Minimum: {minimum.name.lower()}\r\n".encode()
    access = AccessProofs()
    try:
        for said in (False, True):
            accept = Accept(b"willow-clinic-00", ENVELOPE, field + BODY, "ESMTPSA", NURSE, requiretls=said)
            made = await submission(accept, "192.0.2.1", access)
            assert made.requiretls is said
            least = made.protection.minimum
            assert least == (max(minimum or Assurance.NONE, Assurance.AUTHENTICATED) if said else minimum)
    finally:
        access.close()
