"""Hostile messages the whole way: by SMTP or REST into a running house, to the portal's page, and an answer back.

One house for all: every message goes to a person of its own, who opens it with the agreed access code."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.hostile import cases_fields, cases_parts
from tests.hostile.cases_parts import no_teeth
from tests.support.hostile_letters import CALENDAR, PDF, PICTURE, TEETH
from tests.support.house import House
from tests.support.mailers import SENDER, Smtp, message_id
from tests.support.reader import CODE, answer_to, opened

pytestmark = pytest.mark.xdist_group("through-the-house")

CASES = cases_fields.CASES | cases_parts.CASES


class Outcome(msgspec.Struct, frozen=True):
    message: str
    recipient: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("through")) as running:
        yield running


@pytest.fixture(scope="module")
def accepted(house: House) -> dict[str, Outcome]:
    """Every case handed over by SMTP."""
    found: dict[str, Outcome] = {}
    smtp = Smtp(house)
    for case, (raw, _) in CASES.items():
        to = f"{case}@selfsigned.test"
        smtp.say(*smtp.envelope(to))
        assert [smtp.reply()[0] for _ in range(3)] == [250, 250, 354]
        smtp.say(f"X-Carepost-Access-Code: {CODE}".encode() + b"\r\n" + raw.replace(b"\r\n.", b"\r\n.."), b".\r\n")
        code, said = smtp.reply()
        assert code == 250, (case, code, said)
        found[case] = Outcome(message_id(said), to)
    smtp.close()
    return found


@pytest.mark.parametrize("case", CASES)
def test_what_the_reader_sees_and_what_comes_back(house: House, accepted: dict[str, Outcome], case: str) -> None:
    """BI-044, BI-048, BI-049, BI-052, BI-053, BI-054, BI-055, BI-056, BI-057, BI-058, BI-059, BI-060, BI-061, BI-062,
    BI-063, BI-065, BI-066: by SMTP to the page and back."""
    seen = opened(house, accepted[case].recipient)
    CASES[case][1](seen)
    assert seen.visitor.post(f"{seen.path}/reply", text=f"Thank you for {case}").status == 302
    mail = answer_to(house, case)
    assert [a.addr_spec for a in mail["To"].addresses] == [SENDER]
    assert [a.addr_spec for a in mail["From"].addresses] == ["portal@clinic.test"]
    assert mail["Bcc"] is None and mail["Cc"] is None
    assert mail["Subject"].startswith("Re: ") and "\n" not in mail["Subject"]
    assert all(len(line) <= 998 for line in mail.as_bytes().splitlines())


def test_nobody_else_got_anything_and_nothing_was_fetched(house: House, accepted: dict[str, Outcome]) -> None:
    """BI-044, BI-048: an address inside a subject or a name is nobody's mail; BI-058: the bomb was not opened."""
    assert len(accepted) == len(CASES)
    assert house.mails("eve@verified.test") == [] and house.mails(domain="good.test") == []
    for role in ("engine", "journal", "outside"):
        status = Path(f"/proc/{house.pid(role)}/status").read_text()
        [peak] = re.findall(r"VmHWM:\s+(\d+) kB", status)
        assert int(peak) < 250_000, f"{role} once held {peak} kB"


def test_two_messages_of_one_message_id_are_two(house: House, accepted: dict[str, Outcome]) -> None:
    """BI-065: nothing is overwritten; our own ids tell them apart."""
    assert accepted["bi-065-year"].message != accepted["bi-065-before"].message
    for case in ("bi-065-year", "bi-065-before"):
        status, view = house.request("GET", f"/api/v1/messages/{accepted[case].message}")
        assert status == 200 and view["id"] == accepted[case].message


def test_the_same_by_rest(house: House) -> None:
    """BI-056, BI-057, BI-059, BI-061, BI-062, BI-066: what the API composes is shown no differently."""
    files = [
        {"filename": name, "content": base64.b64encode(octets).decode(), "content_type": kind}
        for name, kind, octets in (
            ("..\\..\\win.ini", "text/plain", b"one"), ("x.png", "image/png", PICTURE),
            ("f.pdf", "application/pdf", PDF), ("visit.ics", "text/calendar", CALENDAR),
        )
    ]  # fmt: skip
    to = "by-rest@selfsigned.test"
    body = {"from": SENDER, "to": [to], "subject": "Hello\u2028Bcc: eve@verified.test", "text": "x"}
    assert house.request("POST", "/api/v1/messages", body)[0] == 422
    house.send(to, text="Dear Jane", html=TEETH, attachments=files, protection={"access": {"code": CODE}})
    seen = opened(house, to)
    no_teeth(seen)
    assert seen.files[1:] == ("x.png", "f.pdf", "visit.ics") and "\\" not in seen.files[0]
    assert [seen.file(n).body for n in range(4)] == [b"one", PICTURE, PDF, CALENDAR]
    assert house.mails("eve@verified.test") == []


def test_an_upload_in_a_reply_is_as_tame(house: House) -> None:
    """BI-056, BI-057: a name and a type a stranger chose, on their way to a member of staff."""
    to = "uploads@selfsigned.test"
    house.send(to, protection={"access": {"code": CODE}})
    seen = opened(house, to)
    name = "..%2F..\u202efdp.exe"
    answer = seen.visitor.post(
        f"{seen.path}/reply", text="Thank you for uploads", file=(name, "text/html\t;x", PICTURE)
    )
    assert answer.status == 302
    mail = answer_to(house, "uploads")
    [file] = list(mail.iter_attachments())
    assert file.get_content_disposition() == "attachment"
    assert "\u202e" not in (file.get_filename() or "") and "/" not in (file.get_filename() or "")
    assert file.get_payload(decode=True) == PICTURE


def test_no_byte_of_it_is_in_a_log(house: House) -> None:
    for word in ("eve@verified.test", "passwd", "Dear Jane", "evil.test", CODE):
        assert word not in house.logs(), word
