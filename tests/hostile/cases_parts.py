"""Hostile parts, files and pages (BI-052..062, BI-066), and what their reader must see."""

import html
import io
import zipfile
from collections.abc import Callable

from tests.support.hostile_letters import BOMB, CALENDAR, DOCM, PDF, PICTURE, TEETH, TEXT, attached, mixed, plain
from tests.support.reader import Seen


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
    "bi-066-calendar": (
        mixed(
            TEXT, attached("text/calendar; method=REQUEST", 'filename="visit.ics"', CALENDAR),
            attached("text/vcard", 'filename="c.vcf"', b"BEGIN:VCARD\r\nPHOTO:file:///etc/passwd\r\nEND:VCARD\r\n"),
        ),
        files_are(("visit.ics", "c.vcf"), CALENDAR),
    ),
}  # fmt: skip
