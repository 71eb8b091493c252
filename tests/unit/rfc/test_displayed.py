"""The subject inside an encrypted body, RFC 9788 5.2.2: shown to old readers, and taken out again by new ones."""

import email
import email.policy
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepost.rfc import compose, displayed, mime, protected
from carepost.rfc.address import Mailbox

pytestmark = pytest.mark.fast

HEAD = b"From: a@b.test\r\nSubject: The canary\r\n"


def entity(rest: bytes) -> bytes:
    return protected.protect(HEAD + rest, encrypted=True).payload


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Type: text/plain\r\n\r\nis well.\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nis w\xc3\xa9ll.\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"is =\r\nwell.\r\n",
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\naXMgd2VsbC4NCg==\r\n",
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nis well.\r\n'
        b"--x\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=b.txt\r\n\r\n"
        b"as it is\r\n--x--\r\n",
        b"\r\nis well.\r\n",
    ],
    ids=["7bit", "8bit", "quoted", "base64", "mixed", "no type"],
)
def test_it_stands_at_the_head_of_a_text_and_comes_off_again(rest: bytes) -> None:
    before = entity(rest)
    made = displayed.add(before)
    assert b'hp-legacy-display="1"' in made and protected.mark(made) == "cipher"
    shown = mime.read(made).text
    assert shown.startswith("Subject: The canary") and shown.splitlines()[1] == "" and "is w" in shown
    back = displayed.remove(made)
    assert mime.read(back).text == mime.read(before).text and b"hp-legacy-display" not in back
    assert b"base64" in rest or back == before


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize(
    "page",
    [
        '<!DOCTYPE html><html><head><title>x</title></head><body style="color: red">'
        "<p>is well &amp; <b>sings</b></p></body></html>\r\n",
        "<p>is well</p>\r\n",
    ],
)
def test_it_stands_in_the_body_of_a_page(page: str, encoding: str) -> None:
    whole = email.message_from_bytes(
        HEAD.replace(b"The canary", b"A <b> & =?utf-8?q?=C3=A9?="), policy=email.policy.SMTP
    )
    whole.set_content(page, subtype="html", cte=encoding)
    before = protected.protect(whole.as_bytes(), encrypted=True).payload
    made = displayed.add(before)
    shown = mime.read(made).html
    element = '<div class="header-protection-legacy-display"><pre>Subject: A &lt;b&gt; &amp; &#233;</pre></div>'
    assert element in shown and (shown.index(element) > shown.find("<body"))
    assert mime.read(displayed.remove(made)).html == mime.read(before).html


def test_both_texts_of_an_alternative_have_it_and_attachments_do_not() -> None:
    raw = compose.build(
        from_=Mailbox("", "a@b.test"), to=[Mailbox("", "c@d.test")], subject="The canary \u00e9", text="is well",
        html="<p>is well</p>", attachments=[compose.Attachment("a.txt", "text/plain", b"as it is")],
        message_id="<1@b.test>", at=0,
    )  # fmt: skip
    before = protected.protect(raw, encrypted=True).payload
    made = displayed.add(before)
    found = mime.read(made)
    assert found.text.startswith("Subject: The canary") and "Subject: The canary &#233;" in found.html
    assert [a.data for a in found.attachments] == [b"as it is"]
    assert mime.read(displayed.remove(made)) == mime.read(before)


@pytest.mark.parametrize(
    "rest",
    [
        b'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary="x"\r\n\r\n--x\r\n'
        b"Content-Type: text/plain\r\n\r\nis well.\r\n--x\r\nContent-Type: application/pgp-signature\r\n\r\n"
        b"x\r\n--x--\r\n",
        b"Content-Type: text/plain (a comment); charset=utf-8\r\n\r\nx\r\n",
        b"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
        b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\nx\r\n",
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
        b"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n",
        b"Content-Type: text/html\r\n\r\n<html><p>no body\r\n",
        b'Content-Type: multipart/mixed; boundary=""\r\n\r\nx\r\n',
        b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!\r\n",
    ],
    ids=["signed", "comment", "utf-16", "iso-2022", "pdf", "attachment", "odd page", "odd boundary", "damaged"],
)
def test_what_cannot_be_changed_with_certainty_stays(rest: bytes) -> None:
    before = entity(rest)
    assert displayed.add(before) is before


def test_no_subject_no_element() -> None:
    for head in (b"From: a@b.test\r\n", b"From: a@b.test\r\nSubject: \r\n"):
        before = protected.protect(head + b"Content-Type: text/plain\r\n\r\nx\r\n", encrypted=True).payload
        assert displayed.add(before) is before


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029"), max_size=80),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\u2028\u2029"), max_size=120),
    st.booleans(),
)
def test_whatever_was_written_comes_back(subject: str, text: str, eightbit: bool) -> None:
    raw = compose.build(
        from_=Mailbox("", "a@b.test"), to=[Mailbox("", "c@d.test")], subject=subject, text=text, html=f"<p>{text}",
        message_id="<1@b.test>", at=0, eightbit=eightbit,
    )  # fmt: skip
    before = protected.protect(raw, encrypted=True).payload
    made = displayed.add(before)
    assert mime.read(displayed.remove(made)) == mime.read(before)
    assert max(map(len, made.split(b"\r\n"))) <= 998


def test_a_mark_without_an_element_hides_nothing() -> None:
    """Whoever marks a text of his own must not have its first words vanish for one reader and stand for another."""
    raw = b'Content-Type: text/plain; hp-legacy-display="1"\r\n\r\nThe first words\r\n\r\nand the others\r\n'
    assert b"The first words\r\n\r\nand the others" in displayed.remove(raw)


def test_time_is_linear_on_what_never_ends() -> None:
    before = time.process_time()
    for piece in (b"<body ", b'<div class="header-protection-legacy-display"><pre>', b"\r\n\r\n", b"Subject:", b"="):
        page = piece * (1_000_000 // len(piece))
        for kind in (b"plain", b"html"):
            raw = b"Content-Type: text/" + kind + b'; hp-legacy-display="1"\r\n\r\n' + page + b"\r\n"
            displayed.remove(raw)
            displayed.add(entity(raw.replace(b'; hp-legacy-display="1"', b"")))
    assert time.process_time() - before < 5


ONE_TEXTS = [
    b"Content-Type: text/plain\r\n\r\nis well.\r\n",
    b"Content-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Transfer-Encoding: 8BIT \r\n\r\n"
    b"is w\xc3\xa9ll.\r\n",
    b'Content-Type: TEXT/HTML;\r\n charset="utf-8"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n<p>is well</p>\r\n',
    b"Content-Type: text/html\r\n\r\n\r\n<html><BODY class=a>\r\n<p>is well</p></body></html>\r\n",
    b"Content-Type: text/html\r\n\r\n<html><p>no body</p>\r\n",
    b"Content-Type: text/plain; charset=utf-7\r\n\r\n+AGE-\r\n",
    b"Content-Type: text/plain; charset=utf-8; charset=utf-7\r\n\r\nis well\r\n",
    b"Content-Type: text/plain; boundary=a; charset*=utf-8''utf-7\r\n\r\nis well\r\n",
    b"Content-Type: text/plain (a comment); charset=utf-8\r\n\r\nis well\r\n",
    b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nis well\r\n",
    b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\naXMgd2VsbC4NCg==\r\n",
    b"Content-Type: text/plain\r\n\r\nSubject: something else\r\n\r\nis well\r\n",
    b'Content-Type: text/html\r\n\r\n<div class="header-protection-legacy-display"><pre>mine</pre></div>is well\r\n',
    b'X-Own: a;hp-legacy-display="1"\r\nContent-Type: text/plain\r\n\r\nis well\r\n',
    b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n",
    b"content-transfer-ENCODING: 8BIT\r\ncontent-TYPE: text/plain; charset=utf-8\r\n\r\nis w\xc3\xa9ll.\r\n",
    b"Content-Transfer-Encoding: \r\nContent-Type: text/plain\r\n\r\nis well\r\n",
    b"Content-Type: text/plain\r\nContent-Language: en\r\n\r\nis well\r\n",
    b"Content-Type: text/html\r\n\r\nno <heading> or <bodyguard>, <b>is well</b>\r\n",
]


@pytest.mark.parametrize("subject", [b"The canary", b"=?utf-8?q?=C3=A9_<b>?=", b"a;\r\n folded & long", b"", b'";hp=1'])
@pytest.mark.parametrize("rest", ONE_TEXTS, ids=range(len(ONE_TEXTS)))
def test_a_message_of_one_text_is_made_as_any_other(
    rest: bytes, subject: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is made by a shorter way is what the long one makes, octet for octet, and comes off again."""
    whole = b"From: a@b.test\r\nSubject: " + subject + b"\r\n" + rest
    made = protected.protect(whole, encrypted=True)
    before, short = made.payload, displayed.add(made.payload, made.outline)
    assert short == displayed.add(before)
    monkeypatch.setattr(displayed, "_one_text", lambda _, __: None)
    assert short == displayed.add(before)
    if short != before:
        # what says of itself what only we say loses it in any case
        assert displayed.remove(short) == before or b"base64" in rest or b"X-Own" in rest


def test_the_short_way_is_taken_for_what_is_usual() -> None:
    for rest in ONE_TEXTS[:4]:
        made = protected.protect(HEAD + rest, encrypted=True)
        assert made.outline is not None and displayed._one_text(made.payload, made.outline) is not None
