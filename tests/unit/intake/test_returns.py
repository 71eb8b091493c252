"""What comes to a signed return path: believed with a token that is ours, else counted and gone (BI-028)."""

import pytest

from carepost.crypto.delivery_token import LENGTH, RETURN, make, number_of
from carepost.ground import ids
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.orgkeys import DirectoryKeys
from carepost.intake.returns import PREFIX, Returns
from carepost.proof import event, kinds
from carepost.proof.event import Event
from carepost.queue.sealing import Opener
from carepost.wire import bounces as wire
from carepost.wire.types import Actor, Origin, Submission
from tests.unit.intake.office import CLINIC, Office, submission

HOST = "bounce.clinic.test"
DELIVERY = ids.new(1)
BOUNCE = (
    b"From: MAILER-DAEMON@mx.patient.test\r\nTo: x@y.test\r\nSubject: Undelivered Mail Returned to Sender\r\n\r\n"
    b"The message could not be delivered to:\r\n\r\n<jane@patient.test>: 550 5.1.1 User unknown\r\n"
)


@pytest.fixture
def returns(office: Office) -> Returns:
    office.change(CLINIC, return_path=HOST)
    return Returns(OrgKeys(office.purposes))


def came(to: str, body: bytes = BOUNCE) -> Submission:
    return submission(to, body=body, sender="", origin=Origin.MX, actor=Actor("system", "mx"))


async def told(office: Office) -> tuple[Event, dict[str, bytes]]:
    (row,) = (await office.queue.drain(0, 0))[0]
    opened = Opener(DirectoryKeys(office.directory, office.purposes)).personal(row)
    return event.read(row.event), {name: value for name, (_, value) in opened.items()}


async def test_a_bounce_to_a_token_of_ours_names_its_delivery(office: Office, returns: Returns) -> None:
    address = returns.address(office.directory.snapshot(CLINIC), DELIVERY)
    await office.intake().accept(came(f"{address.partition('@')[0].upper()}@{HOST}"))
    said, opened = await told(office)
    assert (said.kind, said.on) == (kinds.BOUNCE_RECEIVED, [ids.text(DELIVERY)])
    found = wire.decode(opened["bounce"])
    assert (found.delivery, found.form) == (DELIVERY, "text")
    assert [(r.recipient, r.reason, r.klass) for r in found.recipients] == [
        ("jane@patient.test", "user-unknown", "hard")
    ]


async def test_bi_028_a_forged_token_changes_nothing(office: Office, returns: Returns) -> None:
    address = returns.address(office.directory.snapshot(CLINIC), DELIVERY)
    forged = address[:20] + ("a" if address[20] != "a" else "b") + address[21:]
    await office.intake().accept(came(forged))
    said, opened = await told(office)
    assert (said.kind, said.cause) == (kinds.MESSAGE_IGNORED, "bounce-forged")
    assert set(opened) == {"client"}


def complaint(copy: str, mail_from: str = "n@clinic.test") -> bytes:
    return (
        'From: fbl@provider.test\r\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
        f"Original-Mail-From: <{mail_from}>\r\n"
        f"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{copy}\r\n\r\n--b--\r\n"
    ).encode()


async def test_a_complaint_is_believed_by_its_envelope_or_its_link(office: Office, returns: Returns) -> None:
    known = office.directory.snapshot(CLINIC)
    bodies = (
        complaint("From: n@clinic.test", returns.address(known, DELIVERY)),
        complaint(f"From: n@clinic.test\r\nList-Unsubscribe: <{returns.link(known, DELIVERY)}>"),
    )
    for body in bodies:
        await office.intake().accept(came(f"feedback@{HOST}", body))
    rows = (await office.queue.drain(0, 0))[0]
    assert [event.read(r.event).kind for r in rows] == [kinds.BOUNCE_RECEIVED] * 2
    assert [event.read(r.event).on for r in rows] == [[ids.text(DELIVERY)]] * 2


@pytest.mark.parametrize(
    ("number", "expected"), [(ids.text(DELIVERY), kinds.BOUNCE_RECEIVED), ("20261122.1", kinds.MESSAGE_IGNORED)],
    ids=["as-ours", "another"],
)  # fmt: skip
async def test_a_complaint_that_hides_all_but_the_number_is_left_to_history(
    office: Office, returns: Returns, number: str, expected: str
) -> None:
    """RFC 6590: envelope and link are redacted; the number is one of ours, or it is nothing."""
    body = complaint(f"Message-ID: <{number}@clinic.test>\r\nList-Unsubscribe: <redacted>", "redacted")
    await office.intake().accept(came(f"feedback@{HOST}", body))
    said, _ = await told(office)
    assert said.kind == expected


async def test_bi_028_a_complaint_that_names_nothing_signed_changes_nothing(office: Office, returns: Returns) -> None:
    known = office.directory.snapshot(CLINIC)
    link = returns.link(known, DELIVERY)
    # the last sign may be an "a" already
    forged = link[:-2] + ("b" if link[-2] == "a" else "a") + link[-1]
    body = complaint(f"Message-ID: <{ids.text(DELIVERY)}@clinic.test>\r\nList-Unsubscribe: <{forged}>")
    await office.intake().accept(came(f"feedback@{HOST}", body))
    said, _ = await told(office)
    assert (said.kind, said.cause) == (kinds.MESSAGE_IGNORED, "bounce-forged")


async def test_an_absent_person_is_no_bounce(office: Office, returns: Returns) -> None:
    address = returns.address(office.directory.snapshot(CLINIC), DELIVERY)
    body = b"From: jane@patient.test\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n"
    await office.intake().accept(came(address, body))
    said, _ = await told(office)
    assert (said.kind, said.cause) == (kinds.MESSAGE_IGNORED, "automatic")


def test_without_a_return_path_nothing_is_signed(office: Office) -> None:
    returns = Returns(OrgKeys(office.purposes))
    assert returns.address(office.directory.snapshot(CLINIC), DELIVERY) == ""


async def test_tokens_follow_the_index_key_and_what_a_former_one_made_is_known(
    office: Office, returns: Returns
) -> None:
    before = office.directory.snapshot(CLINIC)
    old, old_link = returns.address(before, DELIVERY), returns.link(before, DELIVERY)
    office.change(
        CLINIC, keys={**before.keys, "index": (2, office.org_keys.new(CLINIC, "index", 2))},
        retired_keys={("index", 1): before.keys["index"][1]}, token_versions=(2,),
    )  # fmt: skip
    after = office.directory.snapshot(CLINIC)
    new, new_link = returns.address(after, DELIVERY), returns.link(after, DELIVERY)
    assert number_of(new.partition("@")[0].removeprefix(PREFIX)) == number_of(new_link[-LENGTH:]) == 2
    assert [returns.delivery_of(after, one) for one in (old, new)] == [DELIVERY, DELIVERY]
    assert [returns.delivery_of_link(after, one) for one in (old_link, new_link)] == [DELIVERY, DELIVERY]
    # it is out in the world: a bounce that comes after the change is still believed
    await office.intake().accept(came(old))
    said, _ = await told(office)
    assert (said.kind, said.on) == (kinds.BOUNCE_RECEIVED, [ids.text(DELIVERY)])


def test_a_token_that_names_a_key_there_is_not_is_nobodys(office: Office, returns: Returns) -> None:
    """BI-028: neither a number that no key has, nor one key's token under another's number."""
    known = office.directory.snapshot(CLINIC)
    key = office.org_keys.open(CLINIC, "index", 1, known.keys["index"][1])
    for number in (0, 2, 255):
        forged = make(key, RETURN, CLINIC, DELIVERY, number)
        assert returns.delivery_of(known, f"{PREFIX}{forged}@{HOST}") is None
    office.change(
        CLINIC, keys={**known.keys, "index": (2, office.org_keys.new(CLINIC, "index", 2))},
        retired_keys={("index", 1): known.keys["index"][1]},
    )  # fmt: skip
    forged = make(key, RETURN, CLINIC, DELIVERY, 2)
    assert returns.delivery_of(office.directory.snapshot(CLINIC), f"{PREFIX}{forged}@{HOST}") is None
