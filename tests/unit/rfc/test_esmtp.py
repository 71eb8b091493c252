"""Arguments of MAIL, RCPT and EHLO: what they mean, and the exact reply where they are wrong."""

import pytest

from carepost.rfc.envelope import Recipient
from carepost.rfc.errors import CommandError
from carepost.rfc.esmtp import MailCommand, parse_hello, parse_mail, parse_rcpt, unxtext, xtext

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (b"FROM:<>", MailCommand("")),
        (b"from: <Ann@Clinic.TEST>", MailCommand("Ann@clinic.test")),
        (b"FROM:<a@b.test> SIZE=1000 BODY=8BITMIME", MailCommand("a@b.test", 1000, "8BITMIME")),
        (b"FROM:<a@b.test> RET=HDRS ENVID=QQ+2B1", MailCommand("a@b.test", ret="HDRS", envid="QQ+1")),
        (b'FROM:<"a>b"@c.test>', MailCommand('"a>b"@c.test')),
        (b"FROM:<a@b.test> AUTH=<>", MailCommand("a@b.test")),
        ("FROM:<ä@b.test> SMTPUTF8".encode(), MailCommand("ä@b.test", smtputf8=True)),
        (b"FROM:<a@b.test> SIZE=99999999999", MailCommand("a@b.test", 99_999_999_999)),
    ],
)
def test_mail(argument: bytes, expected: MailCommand) -> None:
    assert parse_mail(argument) == expected


@pytest.mark.parametrize(
    ("argument", "reply", "enhanced"),
    [
        (b"", 501, "5.5.4"),
        (b"FROM:", 501, "5.5.4"),
        (b"FROM:a@b.test", 501, "5.5.4"),
        (b"FROM:<a@b.test", 501, "5.5.4"),
        (b"FROM:<a@b.test>SIZE=1", 501, "5.5.4"),
        (b"FROM:<a@b.test> SIZE=", 501, "5.5.4"),
        (b"FROM:<a@b.test> SIZE=1 SIZE=2", 501, "5.5.4"),
        (b"FROM:<a@b.test> SIZE=-1", 501, "5.5.4"),
        (b"FROM:<a@b.test> SIZE=" + b"9" * 30, 501, "5.5.4"),
        (b"FROM:<a@b.test> BODY=BINARYMIME", 501, "5.5.4"),
        (b"FROM:<a@b.test> RET=SOME", 501, "5.5.4"),
        (b"FROM:<a@b.test> ENVID=a+3", 501, "5.5.4"),
        (b"FROM:<a@b.test> ENVID=a+0D+0Ab", 501, "5.5.4"),
        (b"FROM:<a@b.test> ENVID=" + b"a" * 101, 501, "5.5.4"),
        (b"FROM:<a@b.test> REQUIRETLS=yes", 555, "5.5.4"),
        (b"FROM:<a@b.test> REQUIRETLS REQUIRETLS", 501, "5.5.4"),
        (b"FROM:<a@b.test> " + b" ".join(b"X%d=1" % n for n in range(50)), 501, "5.5.4"),
        (b"FROM:<\xff@b.test>", 501, "5.5.4"),
        ("FROM:<ä@b.test>".encode(), 553, "5.6.7"),
        (b"FROM:<" + b"a" * 65 + b"@c.test>", 553, "5.1.7"),
        (b"FROM:<" + b"a" * 300 + b">", 501, "5.1.7"),
        (b"FROM:<@a.test,@b.test:u@c.test>", 501, "5.1.7"),
        (b"FROM:<u@[127.0.0.1]>", 501, "5.1.7"),
        (b"FROM:<a@b.test>\rRCPT TO:<c@d.test>", 501, "5.5.4"),
    ],
)
def test_mail_refused(argument: bytes, reply: int, enhanced: str) -> None:
    """BI-016, BI-018, BI-021, BI-025."""
    with pytest.raises(CommandError) as error:
        parse_mail(argument)
    assert (error.value.reply, error.value.enhanced) == (reply, enhanced)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (b"TO:<pat@x.test>", Recipient("pat@x.test")),
        (b"TO:<Postmaster>", Recipient("Postmaster@clinic.test")),
        (b"TO:<a@b.test> NOTIFY=SUCCESS,DELAY", Recipient("a@b.test", ("SUCCESS", "DELAY"))),
        (
            b"TO:<a@b.test> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@c.test",
            Recipient("a@b.test", ("NEVER",), "rfc822;a+2Bb@c.test"),
        ),
    ],
)
def test_rcpt(argument: bytes, expected: Recipient) -> None:
    assert parse_rcpt(argument, postmaster="clinic.test") == expected


@pytest.mark.parametrize(
    ("argument", "reply", "enhanced"),
    [
        (b"TO:<>", 501, "5.1.3"),
        (b'TO:<"a b\r\nDATA"@x.test>', 501, "5.1.3"),
        (b"TO:<user@[127.0.0.1]>", 501, "5.1.3"),
        (b"TO:<user@[IPv6:::1]>", 501, "5.1.3"),
        (b"TO:<@a.test,@b.test:u@c.test>", 501, "5.1.3"),
        ("TO:<ä@b.test>".encode(), 553, "5.6.7"),
        (b"TO:<a@b.test> NOTIFY=NEVER,DELAY", 501, "5.5.4"),
        (b"TO:<a@b.test> NOTIFY=SOMETIMES", 501, "5.5.4"),
        (b"TO:<a@b.test> NOTIFY=DELAY,DELAY", 501, "5.5.4"),
        (b"TO:<a@b.test> ORCPT=a@b.test", 501, "5.5.4"),
        (b"TO:<a@b.test> ORCPT=rfc822;" + b"a" * 600, 501, "5.5.4"),
        (b"TO:<a@b.test> SIZE=1", 555, "5.5.4"),
        (b"TO:<Postmaster>", 501, "5.1.3"),
    ],
)
def test_rcpt_refused(argument: bytes, reply: int, enhanced: str) -> None:
    """BI-017, BI-018, BI-021."""
    with pytest.raises(CommandError) as error:
        parse_rcpt(argument)
    assert (error.value.reply, error.value.enhanced) == (reply, enhanced)


@pytest.mark.parametrize("name", [b"clinic.test", b"[127.0.0.1]", b"[IPv6:::1]", b"PC_01", b"localhost"])
def test_hello(name: bytes) -> None:
    assert parse_hello(name) == name.decode()


@pytest.mark.parametrize(
    "name", [b"", b"a b", b"a\rb", b"a\nb", b"a\0", b"[127.0.0.1", b"\xff", b"a" * 300, b"-a", b"<x>"]
)
def test_hello_refused(name: bytes) -> None:
    """BI-026: what no host is called never reaches a log."""
    with pytest.raises(CommandError):
        parse_hello(name)


@pytest.mark.parametrize("text", ["plain", "a+b=c d", "é", "\x7f~!"])
def test_xtext_comes_back(text: str) -> None:
    assert unxtext(xtext(text)) == text
    assert xtext(text).isascii() and " " not in xtext(text)


@pytest.mark.parametrize("text", ["a+", "a+g0", "a b", "a=b", "+FF", "é"])
def test_what_is_not_xtext(text: str) -> None:
    with pytest.raises(ValueError):
        unxtext(text)
