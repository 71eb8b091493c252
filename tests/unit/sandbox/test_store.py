"""What the sandbox received is told apart, counted to the byte, and bounded."""

import asyncio

import pytest

from carepost.sandbox import store
from carepost.sandbox.store import Kind, Mail, Store, Tls

pytestmark = pytest.mark.fast

NOTICE = (
    b'From: "Demo Clinic" <notice@clinic.test>\r\nTo: testina@plain.test\r\nSubject: A secure message\r\n'
    b"Auto-Submitted: auto-generated\r\n\r\nOpen the portal.\r\n"
)
REPORT = (
    b"From: postmaster@clinic.test\r\nAuto-Submitted: auto-generated\r\n"
    b"Content-Type: multipart/report;\r\n report-type=delivery-status; boundary=x\r\n\r\n--x--\r\n"
)
MESSAGE = b"From: nora@clinic.test\r\nSubject: TEST-0001\r\n\r\nHello\r\n"


def mail(raw: bytes = MESSAGE, *, tls: bool = True, complete: bool = True, to: str = "testina@plain.test") -> Mail:
    return store.new_mail(
        domain="plain.test",
        sender="nora@clinic.test",
        recipients=(to,),
        parameters=(),
        raw=raw,
        tls=Tls("TLSv1.3", "TLS_AES_256_GCM_SHA384") if tls else None,
        helo="mail.clinic.test",
        connection=1,
        transaction=1,
        complete=complete,
    )


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (NOTICE, Kind.NOTICE),
        (REPORT, Kind.BOUNCE),
        (MESSAGE, Kind.MESSAGE),
        # whatever is not plainly a notice counts as a message
        (NOTICE.replace(b"Auto-Submitted: auto-generated\r\n", b""), Kind.MESSAGE),
        (NOTICE.replace(b"notice@", b"nora@"), Kind.MESSAGE),
        (MESSAGE + NOTICE, Kind.MESSAGE),
        (NOTICE.partition(b"\r\n\r\n")[0], Kind.MESSAGE),  # the header never ended
        (b"", Kind.MESSAGE),
        (b"\r\n" + NOTICE, Kind.MESSAGE),
    ],
)
def test_classify(raw: bytes, kind: Kind) -> None:
    assert store.classify(raw) is kind


def test_every_body_byte_is_counted_finished_or_not() -> None:
    kept = Store()
    kept.add(mail(tls=False))
    kept.add(mail(NOTICE, tls=False))
    kept.add(mail(MESSAGE[:40], tls=False, complete=False))
    kept.add(mail(tls=True))
    counters = kept.count("plain.test")
    assert counters.body_bytes == 2 * len(MESSAGE) + len(NOTICE) + 40
    assert counters.message_bytes == 2 * len(MESSAGE) + 40
    assert counters.clear_message_bytes == len(MESSAGE) + 40
    assert (counters.messages, counters.notices, counters.incomplete) == (2, 1, 1)
    assert kept.received == 3


def test_an_unfinished_mail_is_in_no_mailbox_but_is_seen() -> None:
    kept = Store()
    kept.add(mail(b"Subject: half TEST-0002", complete=False))
    assert kept.mailbox("testina@plain.test") == ()
    assert kept.mailboxes() == {}
    assert kept.saw(b"TEST-0002")
    assert kept.saw(b"TEST-0002", "plain.test")
    assert not kept.saw(b"TEST-0002", "other.test")


def test_mailboxes_ignore_case() -> None:
    kept = Store()
    kept.add(mail(to="Testina@plain.test"))
    assert len(kept.mailbox("testina@PLAIN.test")) == 1
    assert list(kept.mailboxes()) == ["testina@plain.test"]


def test_the_oldest_go_first_and_counters_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_MAILS", 3)
    kept = Store()
    for number in range(5):
        kept.add(mail(to=f"p{number}@plain.test"))
    assert list(kept.mailboxes()) == [f"p{number}@plain.test" for number in (2, 3, 4)]
    assert (kept.received, kept.forgotten) == (5, 2)
    monkeypatch.setattr(store, "MAX_BYTES", 100)
    kept.add(mail(MESSAGE + b"x" * 200))
    assert len(kept.mails()) == 1


@pytest.mark.parametrize(
    ("raw", "faults"),
    [(MESSAGE, ()), (b"a: b\n\r\nx\r\n", ("bare-newline",)), (b"a: b\r\n\r\nx\ry", ("bare-newline",)),
     (b"a: " + b"b" * 1000 + b"\r\n", ("long-line",))],
)  # fmt: skip
def test_faults_of_the_sender_are_noted(raw: bytes, faults: tuple[str, ...]) -> None:
    assert mail(raw).faults == faults


async def test_waiting_ends_with_the_arrival_or_with_time() -> None:
    kept = Store()
    waiting = asyncio.create_task(kept.wait_mail("testina@plain.test", 2, 5))
    kept.add(mail())
    await asyncio.sleep(0)
    assert not waiting.done()
    kept.add(mail())
    assert len(await waiting) == 2
    assert len(await kept.wait_mail("testina@plain.test", 3, 0.01)) == 2
