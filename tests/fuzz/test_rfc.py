"""Readers of bytes from strangers: whatever they are given, they answer or refuse; they never crash, hang or leak.

Bounded in examples and in size, so the family runs in seconds; seeds are random at each run."""

import email
import email.policy
import re
import time
from typing import Any

import fast_mail_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.rfc import compose, dsn, esmtp, lines, message, mime, parts, reply, words
from carepost.rfc.address import Mailbox, format_mailbox, parse_mailboxes, parse_path
from carepost.rfc.errors import AddressError, BareNewline, CommandError, MessageError, MimeError, RfcError

many = settings(max_examples=600, deadline=2_000)

#: pieces from which hostile headers are made
PIECES = [
    b"From: ", b"a@b.test", b"<", b">", b'"', b"(", b")", b"\\", b",", b";", b":", b"@", b"\r\n", b"\r", b"\n", b"\0",
    b" ", b"\t", b"=?utf-8?q?", b"=?utf-8?b?", b"?=", b"=0A", b"boundary=", b"--b", b"--", b"=", b"multipart/mixed;",
    b"Content-Type: ", b"Content-Transfer-Encoding: base64", b"Content-Disposition: attachment; filename*0*=",
    b"message/rfc822", b"text/html; charset=utf-7", b"Subject: ", b"Received: x\r\n", b"\xff\xfe", "ü".encode(), b"250",
    b"-", b"5.1.1", b"Final-Recipient: rfc822; ", b"message/delivery-status", b"SIZE=", b"\xe2\x80\xae",
]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=12)), max_size=60).map(b"".join)
text = st.one_of(hostile.map(lambda raw: raw.decode("utf-8", "replace")), st.text(max_size=80))
good_text = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029"), max_size=80
)  # fmt: skip


@given(text, st.booleans())
@many
def test_paths(value: str, utf8: bool) -> None:
    said = ""
    try:
        address = parse_path(value, utf8=utf8)
    except AddressError as error:
        said = f"{error} {error.public} {error.detail}"
    if said:
        assert len(value) < 6 or value not in said
        return
    assert parse_path(address, utf8=utf8) == address
    assert not re.search(r"[\x00-\x1f\x7f]", address) and len(address.encode()) <= 254
    local, _, host = address.rpartition("@")
    assert local and host == host.lower() and host.isascii() and "." in host
    assert parse_mailboxes(f"<{address}>") == [Mailbox("", address)]


@given(text)
@many
def test_address_lists(value: str) -> None:
    try:
        found = parse_mailboxes(value)
    except AddressError:
        return
    for mailbox in found:
        assert parse_path(mailbox.address, utf8=True) == mailbox.address
        assert not re.search(r"[\x00-\x1f\x7f\u202e]", mailbox.name)
        # what is shown leads back to the same single address (BI-048, BI-049)
        again = parse_mailboxes(format_mailbox(mailbox.name, mailbox.address).replace("\r\n", ""))
        assert [m.address for m in again] == [mailbox.address]


@given(good_text)
@many
def test_names_survive(name: str) -> None:
    shown = words.safe(name.strip())
    (mailbox,) = parse_mailboxes(format_mailbox(name, "a@b.test").replace("\r\n", ""))
    assert (mailbox.address, mailbox.name.split()) == ("a@b.test", shown.split())


@given(text)
@many
def test_decoded_text_is_one_line(value: str) -> None:
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e\ud800-\udfff]", words.decode(value))


@given(hostile)
@many
def test_line_ends(body: bytes) -> None:
    try:
        lines.check(body)
    except BareNewline:
        bad = re.search(rb"\r(?!\n)|(?<!\r)\n|\0", body) or max(map(len, body.split(b"\r\n"))) > lines.MAX_LINE
        assert bad
        return
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", body)
    assert lines.unstuff(lines.stuff(body)) == body
    assert b"\r\n.\r\n" not in lines.terminate(body)[:-1] and not lines.stuff(body).startswith(b".\r\n")


@given(hostile, st.sampled_from([b"", b"From: a@b.test\r\n", b"From: a@b.test\r\nTo: c@d.test\r\n\r\n"]))
@many
def test_headers(raw: bytes, before: bytes) -> None:
    raw = before + raw
    try:
        read = message.read(raw)
    except MessageError:
        return
    assert read.from_ and 0 < read.header_end <= len(raw)
    assert read.subject.isprintable() and read.message_id.isprintable() and len(read.date_raw) <= 128
    # the fields and the body are the message, with nothing between them
    assert read.fields[0].start == 0 and read.fields[-1].end <= read.header_end
    assert all(a.end == b.start for a, b in zip(read.fields, read.fields[1:], strict=False))
    # no other reader sees another author
    peers = email.message_from_bytes(raw[: read.header_end], policy=email.policy.compat32)
    assert [k.lower().encode("latin-1", "replace") for k in peers.keys()] == [f.name for f in read.fields]  # noqa: SIM118
    for name in read.first:
        rest = message.read(message.rewrite(raw, read, {name})) if name != b"from" else None
        assert rest is None or (name not in rest.first and raw.endswith(raw[read.header_end :]))


@given(hostile)
@many
def test_bodies(raw: bytes) -> None:
    raw = b"From: a@b.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + raw
    try:
        content = mime.read(raw)
    except MimeError:
        return
    for attachment in content.attachments:
        assert attachment.name and len(attachment.name) <= mime.MAX_NAME
        assert not re.search("[/\\\\\x00-\x1f\x7f\u202e:]", attachment.name)
    (content.text + content.html).encode("utf-8")


@given(st.text(max_size=300))
@many
def test_file_names(name: str) -> None:
    safe = mime.filename(name)
    assert safe and len(safe) <= mime.MAX_NAME and safe == mime.filename(safe)
    assert not re.search('[/\\\\\x00-\x1f\x7f:<>|?*"\u202e]', safe) and not safe.startswith(".")


@given(st.lists(st.one_of(hostile, st.sampled_from([b"250 ok\r\n", b"250-a\r\n", b"550 5.1.1 no\r\n"])), max_size=20))
@many
def test_replies(pieces: list[bytes]) -> None:
    parser = reply.Parser()
    found = [r for piece in pieces for r in parser.feed(piece)]
    whole = reply.Parser().feed(b"".join(pieces))
    assert found == whole
    for one in found:
        assert 200 <= one.code <= 599 and one.text.isascii() and one.text.isprintable() and len(one.text) <= 512


@given(hostile)
@many
def test_commands(argument: bytes) -> None:
    readers: list[Any] = [
        lambda: esmtp.parse_mail(b"FROM:<" + argument),
        lambda: esmtp.parse_mail(b"FROM:<a@b.test> " + argument),
        lambda: esmtp.parse_rcpt(b"TO:<" + argument, utf8=True),
        lambda: esmtp.parse_hello(argument),
    ]
    for read in readers:
        answer = 250
        try:
            read()
        except CommandError as error:
            answer = error.reply
        assert answer in (250, 501, 553, 555)


@given(hostile)
@many
def test_reports(raw: bytes) -> None:
    dsn.read(raw)
    head = b"From: a@b.test\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
    head += b"Content-Type: message/delivery-status\r\n\r\n"
    back = dsn.read(head + b"Reporting-MTA: dns; x.test\r\n\r\nFinal-Recipient: rfc822; " + raw + b"\r\n--b--\r\n")
    for one in back.recipients if back else ():
        assert not re.search(r"[\x00-\x1f\x7f]", one.final + one.diagnostic + one.action + one.status)


@given(
    subject=text, body=st.text(max_size=400), page=st.none() | st.text(max_size=400), name=good_text,
    file=st.text(max_size=60), data=st.binary(max_size=400), eightbit=st.booleans(),
)  # fmt: skip
@many
def test_built_messages_hold_what_was_given(
    subject: str, body: str, page: str | None, name: str, file: str, data: bytes, eightbit: bool
) -> None:
    """BI-043..046: whatever is built reads back as one message with the fields it was given, or is refused."""
    try:
        raw = compose.build(
            from_=Mailbox(name, "a@b.test"), to=[Mailbox("", "c@d.test")], subject=subject, text=body, html=page,
            attachments=[compose.Attachment(file, "application/pdf", data)], message_id="<x@b.test>", at=0,
            eightbit=eightbit,
        )  # fmt: skip
    except RfcError:
        return
    lines.check(raw)
    read = message.read(raw)
    assert [f.name for f in read.fields] == [
        b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"
    ]  # fmt: skip
    assert [m.address for m in read.from_] == ["a@b.test"]
    content = mime.read(raw)
    assert content.attachments[-1].data == data
    expected = re.sub("\r\n|\r", "\n", body)
    controls = "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
    assert content.text.rstrip("\n") == re.sub(controls, "", expected).rstrip("\n")
    # an independent reader sees the same parts
    peer = fast_mail_parser.parse_email(raw)
    assert [bytes(a.content) for a in peer.attachments][-1:] == [data]


@pytest.mark.parametrize(
    "value",
    [
        "(" * 100_000, '"' * 100_000, "a" * 100_000, "a@" * 50_000, "=?utf-8?q?" * 20_000, "a." * 50_000 + "@b.test",
        "<" * 100_000, "\\" * 100_000, '"' + "\\a" * 50_000, "a@" + "b-" * 50_000, "a@" + "b." * 50_000, "," * 100_000,
        ":;" * 50_000, "(a)" * 30_000, " " * 100_000, "=?utf-8?b?" + "A" * 99_999 + "?=",
    ],
    ids=lambda v: v[:12],
)  # fmt: skip
def test_no_text_makes_a_reader_slow(value: str) -> None:
    """100 kB of the worst: linear in each reader, or refused at once. CPU time, because tests share the machine."""
    raw = value.encode()
    parser = reply.Parser()
    for read in (
        lambda: parse_path(value, utf8=True),
        lambda: parse_mailboxes(value),
        lambda: words.decode(value),
        lambda: mime.filename(value),
        lambda: parts.parameters(f'text/plain; a="{value}'),
        lambda: parts.parameters(f"text/plain; {value}"),
        lambda: message.read(b"From: a@b.test\r\n" + raw + b"\r\n\r\n"),
        lambda: esmtp.parse_mail(b"FROM:<" + raw),
        lambda: esmtp.parse_rcpt(b"TO:<a@b.test> " + raw),
        lambda: parser.feed(raw),
        lambda: dsn.read(raw),
        lambda: mime.read(b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n" + raw),
    ):
        start = time.process_time()
        try:
            read()
        except RfcError:
            pass
        assert time.process_time() - start < 0.5
