"""Bounces in the words of common systems, DSNs and complaints: who failed, why, and about which message."""

import base64
import quopri

import pytest

from carepost.rfc import arf, bouncemail, bounceparts

pytestmark = pytest.mark.fast

ID = "<01.kept@clinic.test>"
COPY = (
    f"Return-Path: <b-x@clinic.test>\nFrom: Clinic <info@clinic.test>\nTo: jane@patient.test\nMessage-ID: {ID}\n"
    "Subject: s\n\nbody\n"
)


def mail(sender: str, subject: str, text: str, *fields: str) -> bytes:
    more = "".join(f"{field}\n" for field in fields)
    return f"From: {sender}\nTo: b-x@clinic.test\nSubject: {subject}\nMessage-ID: <own@x.test>\n{more}\n{text}".encode()


DAEMON = "Mail Delivery Subsystem <MAILER-DAEMON@mx.patient.test>"
GOOGLE = "Mail Delivery Subsystem <mailer-daemon@googlemail.test>"
#: name -> (mail, failing addresses with their reasons, action)
TEXTS: dict[str, tuple[bytes, dict[str, str], str]] = {
    "postfix": (mail(DAEMON, "Undelivered Mail Returned to Sender", f"""This is the mail system at host mx.patient.test.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

                   The mail system

<jane@patient.test>: host mx.patient.test[192.0.2.1] said: 550 5.1.1
    <jane@patient.test>: Recipient address rejected: User unknown in local
    recipient table (in reply to RCPT TO command)

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "qmail": (mail("MAILER-DAEMON@mx.patient.test", "failure notice", f"""\
Hi. This is the qmail-send program at mx.patient.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<jane@patient.test>:
Sorry, no mailbox here by that name. (#5.1.1)

<john@patient.test>:
User is over the quota. You can try again later.

--- Below this line is a copy of the message.

{COPY}"""), {"jane@patient.test": "user-unknown", "john@patient.test": "mailbox-full"}, "failed"),
    "exim": (mail(DAEMON, "Mail delivery failed: returning message to sender", f"""\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  jane@patient.test
    SMTP error from remote mail server after RCPT TO:<jane@patient.test>:
    host mx.patient.test [192.0.2.1]: 550 5.2.1 The email account that you tried to reach is disabled

------ This is a copy of the message, including all the headers. ------

{COPY}""", "X-Failed-Recipients: jane@patient.test", "Auto-Submitted: auto-replied"),
             {"jane@patient.test": "mailbox-inactive"}, "failed"),
    "sendmail": (mail(DAEMON, "Returned mail: see transcript for details", f"""\
The original message was received at Mon, 1 Jan 2024 10:00:00 GMT
from localhost

   ----- The following addresses had permanent fatal errors -----
<jane@patient.test>
    (reason: 550 5.1.1 <jane@patient.test>... User unknown)

   ----- Transcript of session follows -----
... while talking to mx.patient.test.:
>>> DATA
<<< 550 5.1.1 <jane@patient.test>... User unknown
550 5.1.1 <jane@patient.test>... User unknown

   ----- Original message follows -----

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "exchange-2003": (mail("System Administrator <postmaster@patient.test>", "Undeliverable: Appointment", f"""\
Your message did not reach some or all of the intended recipients.

      Subject:  Appointment
      Sent:     1/1/2024 10:00 AM

The following recipient(s) could not be reached:

      jane@patient.test on 1/1/2024 10:00 AM
            The e-mail account does not exist at the organization this message was sent to.
            <mx.patient.test #5.1.1>

----- Original Message -----
{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "microsoft-365": (mail("Microsoft Outlook <MicrosoftExchange329e71ec88@patient.test>", "Undeliverable: Hello", f"""\
Delivery has failed to these recipients or groups:

jane@patient.test
Your message couldn't be delivered. The recipient's mailbox is full and can't accept messages now.

Diagnostic information for administrators:

Generating server: mx.patient.test
jane@patient.test
Remote Server returned '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException'

Original message headers:

{COPY}"""), {"jane@patient.test": "mailbox-full"}, "failed"),
    "gmail": (mail(GOOGLE, "Delivery Status Notification (Failure)", f"""\
Address not found

Your message wasn't delivered to jane@patient.test because the address couldn't be found,
or is unable to receive mail.

The response from the remote server was:
550 5.1.1 The email account that you tried to reach does not exist.

----- Original message -----

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "gmail-old": (mail(GOOGLE, "Delivery Status Notification (Failure)", f"""\
Delivery to the following recipient failed permanently:

     jane@patient.test

Technical details of permanent failure:
Google tried to deliver your message, but it was rejected by the server for the recipient domain.
The error that the other server returned was: 554 5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org

----- Original message -----

{COPY}"""), {"jane@patient.test": "reputation"}, "failed"),
    "yahoo": (mail("MAILER-DAEMON@yahoo.test", "Failure Notice", f"""\
Sorry, we were unable to deliver your message to the following address.

<jane@patient.test>:
Remote host said: 554 delivery error: dd This user doesn't have a patient.test account (jane@patient.test) [0]

--- Below this line is a copy of the message.

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "lotus": (mail("Postmaster@patient.test", "DELIVERY FAILURE: jane@patient.test not listed in Domino", f"""\
Your message

  Subject: Hello

was not delivered to:

  jane@patient.test

because:

  User jane (jane@patient.test) not listed in Domino Directory

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "groupwise": (mail("Mailer-Daemon@patient.test", "Message status - undeliverable", f"""\
The message that you sent was undeliverable to the following:
    jane@patient.test (user not found)

Possibly truncated original message follows:

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "courier": (mail('"Courier mail server" <@mx.patient.test>', "NOTICE: mail delivery status.", f"""\
This is a delivery status notification from mx.patient.test.

UNDELIVERABLE MAIL

Your message to the following recipients cannot be delivered:

<jane@patient.test>:
    mx.patient.test [192.0.2.1]:
    >>> RCPT TO:<jane@patient.test>
    <<< 550 User unknown.

{COPY}""", "Auto-Submitted: auto-generated"), {"jane@patient.test": "user-unknown"}, "failed"),
    "sun": (mail("Internet Mail Delivery <postmaster@patient.test>", "Delivery Notification: Delivery has failed", f"""\
This report relates to a message you sent with the following header fields:

Your message cannot be delivered to the following recipients:

  Recipient address: jane@patient.test
  Reason: Illegal host/domain name found

{COPY}"""), {"jane@patient.test": "domain-unknown"}, "failed"),
    "delayed": (mail(DAEMON, "Warning: message delayed 24 hours", f"""\
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.patient.test.

  jane@patient.test
    Delay reason: Connection timed out

No action is required on your part. Delivery attempts will continue.

{COPY}"""), {"jane@patient.test": "network"}, "delayed"),
    "german": (mail("postmaster@patient.test", "Unzustellbar: Termin", f"""Die Nachricht konnte nicht zugestellt werden:

<jane@patient.test>: Empfänger unbekannt

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "a name like a heading": (mail(DAEMON, "failure notice", f"""Delivery to the following recipients failed.

    tom.user@patient.test

{COPY}"""), {"tom.user@patient.test": "unknown"}, "failed"),
    "an office to ask": (mail(DAEMON, "Undelivered Mail Returned to Sender", f"""\
I'm sorry to have to inform you that the message returned below could not be delivered.

For further assistance, please contact <postmaster@relay.test>

<jane@patient.test>: host mx.patient.test[192.0.2.1] said: 550 5.1.1 User unknown

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "the block that says which": (mail("postmaster@patient.test", "Undeliverable: Appointment", f"""\
Your message

  To:      list@elsewhere.test
  Subject: Appointment
  Sent:    Fri, 20 Nov 2026 08:53:08 -0700

did not reach the following recipient(s):

jane@patient.test on Fri, 20 Nov 2026 11:08:59 -0700
    The recipient name is not recognized

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
    "quotes": (mail(DAEMON, "Delivery failure", f"""The following message, addressed to 'jane@patient.test',
failed because it has not been collected after 30 days. It could not be delivered.

{COPY}"""), {"jane@patient.test": "mailbox-inactive"}, "failed"),
    "rejected by a script": (mail(DAEMON, "Automatically rejected mail", f"""\
Your message to <jane@patient.test> was automatically rejected:
Quota exceeded

{COPY}""", "Auto-Submitted: auto-replied (rejected)"), {"jane@patient.test": "mailbox-full"}, "failed"),
    "not delivered, and not late": (mail(DAEMON, "Your message could not be delivered", f"""\
Your message to jane@patient.test has NOT been delivered: there is no user by that name.

{COPY}"""), {"jane@patient.test": "user-unknown"}, "failed"),
}  # fmt: skip


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_bounce_in_the_words_of(name: str, newline: str) -> None:
    """deliverability.md §7: CR and CRLF copies are answered as LF."""
    raw, expected, action = TEXTS[name]
    found = bouncemail.read(raw.replace(b"\n", newline.encode()))
    assert found is not None
    assert {f.recipient: f.verdict.reason for f in found.recipients} == expected
    assert {f.action for f in found.recipients} == {action}
    assert (found.form, found.message_id) == ("text", ID)


def report(fields: str, said: str = "It failed.", kind: str = "message/delivery-status") -> bytes:
    return (
        f"From: {DAEMON}\nTo: b-x@clinic.test\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n'
        f"Content-Type: text/plain\n\n{said}\n--b\nContent-Type: {kind}\n\n"
        f"Reporting-MTA: dns; mx.patient.test\n\n{fields}\n"
        f"--b\nContent-Type: message/rfc822\n\n{COPY}\n--b--\n"
    ).encode()


def test_a_report_by_the_standard() -> None:
    raw = report(
        "Final-Recipient: rfc822; jane@patient.test\nOriginal-Recipient: rfc822; Jane@old.test\nAction: failed\n"
        "Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 user unknown\n\n"
        "Final-Recipient: rfc822; john@patient.test\nAction: delayed\nStatus: 4.4.1\n"
    )
    found = bouncemail.read(raw)
    assert found is not None
    assert (found.form, found.message_id) == ("dsn", ID)
    jane, john = found.recipients
    assert (jane.recipient, jane.original, jane.action, jane.verdict.reason, jane.verdict.klass) == (
        "jane@patient.test", "jane@old.test", "failed", "user-unknown", "hard",
    )  # fmt: skip
    assert (john.action, john.verdict.klass) == ("delayed", "soft")


def test_a_report_whose_reason_stands_in_the_part_for_people() -> None:
    raw = report(
        "Final-Recipient: rfc822; jane@patient.test\nAction: failed\nStatus: 5.0.0\n",
        "The mailbox of jane is over quota.",
    )
    found = bouncemail.read(raw)
    assert found is not None
    assert found.recipients[0].verdict.reason == "mailbox-full"


def test_a_report_whose_copy_spoils_its_structure() -> None:
    """No single reading for the rest of the house, and a bounce all the same: the copy's fields follow its part's."""
    raw = report("Final-Recipient: rfc822; jane@patient.test\nAction: failure\nStatus: 553 Message too large\n")
    raw = raw.replace(
        b"Content-Type: message/rfc822\n\n", b"Content-Type: message/rfc822\nContent-Type: text/plain\n\n"
    )
    raw = raw.replace(b'boundary="b"', b'boundary="b@mx"').replace(b"\n--b", b"\n--b@mx")
    found = bouncemail.read(raw)
    assert found is not None and found.form == "dsn"
    (jane,) = found.recipients
    assert (jane.recipient, jane.action, jane.verdict.reason) == ("jane@patient.test", "failed", "too-large")


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_report_in_another_multipart_and_encoded(encoding: str) -> None:
    said = b"Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; jane@patient.test\nAction: failed\nStatus: 5.2.2\n"
    body = base64.encodebytes(said) if encoding == "base64" else quopri.encodestring(said)
    raw = report("").replace(b"multipart/report", b"multipart/mixed")
    head, kind, rest = raw.partition(b"Content-Type: message/delivery-status\n")
    fields = f"Content-Transfer-Encoding: {encoding}\n\n".encode()
    found = bouncemail.read(head + kind + fields + body + rest[rest.index(b"--b\n") :])
    assert found is not None
    assert [(one.recipient, one.verdict.reason) for one in found.recipients] == [("jane@patient.test", "mailbox-full")]


def test_a_bounce_that_names_nobody_is_one_all_the_same() -> None:
    """A signed return path says whom it is about."""
    raw = mail(
        DAEMON,
        "Mail Delivery Problem",
        f"It could not be delivered: no such user.\n\n  jane\n\n--- Original message ---\n{COPY}",
    )
    found = bouncemail.read(raw)
    assert found is not None
    assert [(one.recipient, one.verdict.reason) for one in found.recipients] == [("", "user-unknown")]


def test_parts_without_end_are_bounded() -> None:
    raw = report("x").replace(b"--b\n", b"--b\n--b\n" * 5_000)
    assert len(bounceparts.sections(raw.replace(b"\n", b"\r\n"))) <= 60


JANE = "Jane Roe <jane@patient.test>"
NO_BOUNCE = {
    "a person": mail(JANE, "Re: Appointment", "I could not be reached, my mailbox was full.\n"),
    "absent": mail(JANE, "Out of office", "I am away. jane@patient.test\n", "Auto-Submitted: auto-replied"),
    "a question": mail("jane@patient.test", "Delivery", "When is the delivery to jane@patient.test?\n"),
    "news": mail("news@shop.test", "Delivery problem? We help", "Your parcel is on its way.\n"),
    "empty": b"",
    "bytes": bytes(range(256)) * 8,
}  # fmt: skip


@pytest.mark.parametrize("name", NO_BOUNCE)
def test_what_is_no_bounce(name: str) -> None:
    assert bouncemail.read(NO_BOUNCE[name]) is None


def complaint(report_part: str, copy: str = COPY, boundary: str = "b", closed: str = "--b--") -> bytes:
    return (
        f"From: fbl@provider.test\nTo: feedback@clinic.test\nSubject: complaint\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type=feedback-report; boundary="{boundary}"\n\n'
        f"--b\nContent-Type: text/plain\n\nAn abuse report.\n--b\n{report_part}\n--b\n"
        f"Content-Type: message/rfc822\n\n{copy}\n{closed}\n"
    ).encode()


GOOD = (
    "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Provider/1.0\nVersion: 1\n"
    "Original-Mail-From: <b-token@bounce.clinic.test>\n"
)


def test_a_complaint() -> None:
    found = arf.read(complaint(GOOD))
    assert found is not None
    assert (found.kind, found.mail_from, found.reporter) == ("abuse", "b-token@bounce.clinic.test", "Provider/1.0")
    assert (found.message_id, found.fields["from"], found.damaged) == (ID, "Clinic <info@clinic.test>", False)


@pytest.mark.parametrize(
    ("raw", "mail_from"),
    [
        (complaint(GOOD, boundary="other"), "b-token@bounce.clinic.test"),
        (complaint(GOOD, closed=""), "b-token@bounce.clinic.test"),
        (complaint(GOOD.replace("message/feedback-report", "text/plain")), "b-x@clinic.test"),
        (complaint(GOOD.replace("Feedback-Type: abuse", "Feedback-Type: \x00")), "b-token@bounce.clinic.test"),
        (complaint(GOOD.split("Original")[0]), "b-x@clinic.test"),
        (complaint(GOOD.replace("<b-token@bounce.clinic.test>", "<>")), "b-x@clinic.test"),
    ],
    ids=["wrong-boundary", "never-closed", "wrong-type", "strange-kind", "no-envelope", "envelope-taken-out"],
)
def test_a_complaint_that_is_badly_made(raw: bytes, mail_from: str) -> None:
    found = arf.read(raw)
    assert found is not None
    assert (found.mail_from, found.message_id) == (mail_from, ID)


def junk_mail_report(first: str) -> bytes:
    """As Microsoft's JMRP writes where the feed is not set to ARF."""
    return (
        "From: staff@hotmail.com\nTo: feedback@clinic.test\nSubject: complaint about message from 192.0.2.1\n"
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="m"\n\n'
        f"--m\nContent-Type: message/rfc822\nContent-Disposition: inline\n\n{first}{COPY}\n--m--\n"
    ).encode()


def test_a_complaint_in_microsofts_own_form() -> None:
    found = arf.read(junk_mail_report("X-HmXmrOriginalRecipient: jane@patient.test\n"))
    assert found is not None
    assert (found.kind, found.mail_from, found.message_id) == ("abuse", "b-x@clinic.test", ID)
    assert arf.read(junk_mail_report("")) is None, "somebody who forwards a mail complains of nothing"
    said = junk_mail_report("").replace(b"--m--", b"--m\n\nX-HmXmrOriginalRecipient: jane@patient.test\n--m--")
    assert arf.read(said) is None, "nor does one who writes the field's name beside it"


@pytest.mark.parametrize("raw", [b"", b"feedback-report", COPY.encode(), b"\0feedback-report\n\n" * 99], ids=range(4))
def test_what_is_no_complaint(raw: bytes) -> None:
    assert arf.read(raw) is None
