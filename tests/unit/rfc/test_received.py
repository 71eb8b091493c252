"""The trace field, and dates: in English and UTC whatever the machine, and without client or recipient."""

import pytest

from carepost.rfc import date, message, received
from carepost.rfc.errors import ComposeError

pytestmark = pytest.mark.fast


def test_the_trace_field_names_only_us() -> None:
    field = received.field(by="mail.clinic.test", protocol="ESMTPSA", token="0190-a", at=1_700_000_000_000_000)
    assert field == b"Received: by mail.clinic.test with ESMTPSA id 0190-a;\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
    assert message.read(field + b"From: a@b.test\r\n\r\n").all("received")


@pytest.mark.parametrize("bad", ["", "a b", "a\r\nb", "pat@verified.test", "x" * 300])
@pytest.mark.parametrize("where", ["by", "protocol", "token"])
def test_nothing_else_fits_into_it(bad: str, where: str) -> None:
    given = {"by": "mail.clinic.test", "protocol": "ESMTPSA", "token": "0190-a", where: bad}
    with pytest.raises(ComposeError):
        received.field(**given, at=0)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
        (-5, "Thu, 01 Jan 1970 00:00:00 +0000"),
        (1_709_208_000_000_000, "Thu, 29 Feb 2024 12:00:00 +0000"),
        (10**30, "Fri, 31 Dec 9999 23:59:59 +0000"),
    ],
)
def test_dates(us: int, text: str) -> None:
    assert date.text(us) == text
