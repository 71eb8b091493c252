"""What an attempt adds so that what comes back is known: fields of marketing mail (RFC 8058), under DKIM."""

import dkim as dkimpy
import msgspec
import pytest

from carepost.crypto import dkim
from carepost.delivery import returns
from carepost.directory.types import OrgSnapshot
from carepost.policy.types import Assurance
from carepost.queue.types import Claim, DeliveryRecord, MessageRecord
from carepost.rfc.envelope import Recipient
from carepost.wire.types import Actor

pytestmark = pytest.mark.fast

ORG = OrgSnapshot(
    id=bytes(16), name="Clinic", epoch=1, policy_version="v1", notice_name="", phone="", auditor="",
    portal_url="https://portal.clinic.test", portal_address="", floor=Assurance.VERIFIED, patience=60, rules=(),
    domains=(), routes=(), keys={}, return_path="bounce.clinic.test",
)  # fmt: skip
NEWS = MessageRecord(
    sender="n@clinic.test", subject="", message_id="", header_from="n@clinic.test", actor=Actor("key", "k"), client="",
    envid=None, smtputf8=False, eightbit=False, kind="message", category="marketing", data_class="ordinary",
    purpose="operations", origin="api", tags=("spring",),
)  # fmt: skip
CLAIM = Claim(
    bytes(16),
    bytes(16),
    bytes(16),
    "bulk",
    b"",
    0,
    1,
    DeliveryRecord(Recipient("jane@patient.test"), "n@clinic.test", None),
)
BODY = b"From: n@clinic.test\r\nSubject: s\r\n\r\nbody\r\n"


class Door:
    """Organisation and door as an attempt sees them."""

    def __init__(self, known: OrgSnapshot = ORG) -> None:
        self.known = known

    @property
    def directory(self) -> "Door":
        return self

    @property
    def intake(self) -> "Door":
        return self

    @property
    def returns(self) -> "Door":
        return self

    def snapshot(self, org: bytes) -> OrgSnapshot:
        return self.known

    def address(self, snapshot: OrgSnapshot, delivery: bytes) -> str:
        return f"b-token@{snapshot.return_path}"

    def link(self, snapshot: OrgSnapshot, delivery: bytes) -> str:
        return "https://portal.clinic.test/unsubscribe/x"


def test_marketing_mail_carries_both_fields_and_dkim_names_them() -> None:
    """BS-03: both inside DKIM's h=."""
    made = returns.headed(Door(), ORG, NEWS, CLAIM, BODY)
    assert made.endswith(BODY)
    assert b"List-Unsubscribe: <https://portal.clinic.test/unsubscribe/x>\r\n" in made
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in made
    assert {b"List-Unsubscribe", b"List-Unsubscribe-Post"} <= set(dkim.SIGNED)


def test_a_senders_own_list_stands() -> None:
    own = b"LIST-UNSUBSCRIBE: <mailto:u@clinic.test>\r\n" + BODY
    made = returns.headed(Door(), ORG, NEWS, CLAIM, own)
    assert made.lower().count(b"list-unsubscribe:") == 1
    assert b"One-Click" not in made


def test_the_feedback_id_names_nobody() -> None:
    said = returns.feedback_id(ORG, NEWS)
    assert [len(part) for part in said.split(":")] == [10, 9, 10, 8]
    assert "spring" not in said
    assert said == returns.feedback_id(ORG, NEWS)


@pytest.mark.parametrize(
    ("changes", "signed"),
    [({}, True), ({"origin": "smtp"}, False), ({"origin": "smtp", "kind": "notice"}, True)],
    ids=["api", "smtp", "notice"],
)
def test_who_gets_a_signed_sender(changes: dict[str, str], signed: bool) -> None:
    message = msgspec.structs.replace(NEWS, **changes)
    assert returns.sender(Door(), message, CLAIM, "n@clinic.test").startswith("b-token@") == signed
    assert returns.sender(Door(), message, CLAIM, "") == "", "a null sender stays null"
    switched_on = Door(msgspec.structs.replace(ORG, return_path_smtp=True))
    assert returns.sender(switched_on, message, CLAIM, "n@clinic.test").startswith("b-token@")
    assert returns.sender(switched_on, message, CLAIM, "") == ""
    without = Door(msgspec.structs.replace(ORG, return_path=""))
    assert returns.sender(without, message, CLAIM, "n@clinic.test") == "n@clinic.test"


def test_what_comes_through_a_gateway_keeps_its_sender() -> None:
    """The tenant's own mail system tells its people what comes back."""
    switched_on = Door(msgspec.structs.replace(ORG, return_path_smtp=True))
    through = msgspec.structs.replace(NEWS, origin="smtp", gateway="g")
    assert returns.sender(switched_on, through, CLAIM, "n@clinic.test") == "n@clinic.test"


def test_the_feedback_id_is_under_dkim() -> None:
    """BS-03; Gmail counts it only where it is signed. dkimpy agrees that a changed one breaks the signature."""
    private, record = dkim.generate(dkim.ED25519)
    made = returns.headed(Door(), ORG, NEWS, CLAIM, BODY)
    signed = dkim.Signer("clinic.test", "s1", dkim.ED25519, private).sign(made, 1_795_262_400) + made
    answers = {b"s1._domainkey.clinic.test.": record.encode()}
    look = {"dnsfunc": lambda name, timeout=5: answers.get(name)}
    assert dkimpy.verify(signed, **look)
    assert not dkimpy.verify(signed.replace(b"Feedback-ID: ", b"Feedback-ID: x"), **look)
    assert not dkimpy.verify(b"Feedback-ID: a:b:c:other\r\n" + signed, **look)
