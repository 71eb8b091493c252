"""X-Carepost- fields of authenticated submitters: read, hashed, and taken out of what is stored."""

import asyncio
from collections.abc import Iterator

import pytest

from carepost.crypto import slowhash
from carepost.ground.errors import Refused, Unavailable
from carepost.policy.types import Access, Assurance
from carepost.reception import access as access_room
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Identity
from carepost.reception.smtp import triggers
from carepost.reception.smtp.effects import Accept
from carepost.reception.smtp.handover import envid_key, submission
from carepost.rfc.envelope import Envelope, Recipient
from carepost.wire.types import Origin
from tests.support.clinics import MAPLE, credential

BODY = b"From: nurse@maple.test\r\nSubject: x\r\n%b\r\nHello.\r\nX-Carepost-Access-Code: in the body\r\n"
ENVELOPE = Envelope("nurse@maple.test", (Recipient("ann@elsewhere.test"),))


@pytest.fixture
def proofs() -> Iterator[AccessProofs]:
    made = AccessProofs()
    yield made
    made.close()


def accept(fields: bytes, *, known: bool = True, envelope: Envelope = ENVELOPE) -> Accept:
    identity = Identity(credential("maple", MAPLE), 1) if known else None
    return Accept(MAPLE, envelope, BODY % fields, "ESMTPSA", identity)


@pytest.mark.fast
def test_a_message_without_triggers_is_not_touched() -> None:
    assert not triggers.present(BODY % b"")
    assert not triggers.present(b"")
    assert triggers.present(BODY % b"x-CAREPOST-minimum: VERIFIED\r\n")


async def test_a_code_becomes_a_slow_hash_and_leaves_the_message(proofs: AccessProofs) -> None:
    fields = b"X-Carepost-Access-Code: Blue-42\r\nX-Other: stays\r\nX-Carepost-Minimum: authenticated\r\n"
    made = await submission(accept(fields), "192.0.2.7", proofs)
    assert made.body == BODY % b"X-Other: stays\r\n"
    assert made.protection.minimum is Assurance.AUTHENTICATED
    assert made.protection.access.kind is Access.CODE
    assert slowhash.verify(made.protection.access.verifier, "blue42")
    assert (made.origin, made.client, made.actor.id, made.key) == (Origin.SMTP, "192.0.2.7", "cred-maple", None)


async def test_a_question_may_be_in_any_script(proofs: AccessProofs) -> None:
    fields = "X-Carepost-Question: =?utf-8?q?Dein_Tier=3F?=\r\nX-Carepost-Answer: Möhre\r\n".encode()
    made = await submission(accept(fields), "", proofs)
    assert made.protection.access.question == "Dein Tier?"
    assert slowhash.verify(made.protection.access.verifier, "möhre")
    assert b"arepost-" not in made.body.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    "fields",
    [
        b"X-Carepost-Acess-Code: Blue-42\r\n",
        b"X-Carepost-Access-Code: a\r\nX-Carepost-Access-Code: b\r\n",
        b"X-Carepost-Question: a\r\n",
        b"X-Carepost-Answer: a\r\n",
        b"X-Carepost-Access-Code: a\r\nX-Carepost-Question: b\r\nX-Carepost-Answer: c\r\n",
        b"X-Carepost-Minimum: BEST\r\n",
        b"X-Carepost-Access-Code: " + b"x" * 200 + b"\r\n",
    ],
)
async def test_what_cannot_be_honoured_is_refused_and_never_silently_dropped(
    proofs: AccessProofs, fields: bytes
) -> None:
    with pytest.raises(Refused) as refused:
        await submission(accept(fields), "", proofs)
    assert refused.value.enhanced == "5.6.0"
    assert "Blue" not in refused.value.public and "BEST" not in refused.value.public


async def test_the_world_at_the_mx_triggers_nothing(proofs: AccessProofs) -> None:
    made = await submission(accept(b"X-Carepost-Minimum: NONE\r\n", known=False), "", proofs)
    assert made.origin is Origin.MX
    assert (made.actor.kind, made.protection.minimum, made.key) == ("system", None, None)


async def test_a_secret_hashed_for_one_organisation_is_not_found_for_another(proofs: AccessProofs) -> None:
    first = await proofs.proof(b"a" * 16, "code", "", "")
    again = await proofs.proof(b"a" * 16, "code", "", "")
    other = await proofs.proof(b"b" * 16, "code", "", "")
    assert first == again != other


async def test_hashing_is_bounded(proofs: AccessProofs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_room, "MOST_WAITING", 2)
    asked = [asyncio.ensure_future(proofs.proof(MAPLE, f"code{n}", "", "")) for n in range(6)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(d, Unavailable) for d in done) == 4
    # what failed for want of room succeeds later
    assert (await proofs.proof(MAPLE, "code5", "", "")).verifier


@pytest.mark.fast
def test_an_envid_is_one_key_for_one_set_of_recipients() -> None:
    def key(sender: str, envid: str | None, *recipients: str) -> str | None:
        return envid_key(Envelope(sender, tuple(Recipient(r) for r in recipients), envid=envid))

    assert key("a@b.test", None, "c@d.test") is None
    one = key("a@b.test", "visit-7", "c@d.test", "e@f.test")
    assert one == key("a@b.test", "visit-7", "e@f.test", "c@d.test")
    # a client that splits one message keeps the ENVID (RFC 3461 5.2.3)
    assert one != key("a@b.test", "visit-7", "c@d.test")
    assert one is not None and one.startswith("envid:visit-7:") and "d.test" not in one


async def test_the_senders_reason_stays_for_the_door_which_asks_for_it(proofs: AccessProofs) -> None:
    """docs/policy.md: a rule that asks why is answered by this field, from a mail program too."""
    fields = b"X-Carepost-Reason: the insurer asked\r\nX-Carepost-Minimum: VERIFIED\r\n"
    made = await submission(accept(fields), "", proofs)
    assert made.body == BODY % b"X-Carepost-Reason: the insurer asked\r\n"
    with pytest.raises(Refused):
        await submission(accept(b"X-Carepost-Reason: a\r\nX-Carepost-Reason: b\r\n"), "", proofs)
