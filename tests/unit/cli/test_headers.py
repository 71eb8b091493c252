"""`carepost headers`: a message in a file, told apart in words or JSON, without a home and without Django."""

import json
import subprocess
import sys
from pathlib import Path

from tests.unit.crypto.test_examine import mail

COMMAND = [sys.executable, "-m", "carepost.cli.main", "headers"]


def said(*words: str, given: bytes = b"", code: int = 0) -> str:
    done = subprocess.run([*COMMAND, *words], input=given, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr
    return (done.stdout or done.stderr).decode()


def test_a_file_without_a_home(tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    file.write_bytes(mail())
    text = said(str(file), "--home", str(tmp_path / "none"))
    assert "nurse@clinic.test" in text and "[198.51.100.7] -> mx.there.test" in text and "(+1800 s)" in text
    assert "DNS did not answer about clinic.test" in text


def test_bi_027_a_loop_says_how_many_lines_are_left_out(tmp_path: Path) -> None:
    line = "Received: from a by mx.there.test with SMTP; Sat, 21 Nov 2026 12:00:00 +0000\r\n"
    text = said("-", "--home", str(tmp_path / "none"), given=mail(line * 130))
    assert "  ... 30 more lines\n" in text and "A mail loop" in text
    assert text.count("-> mx.there.test") == 100
    assert "more lines" not in said("-", "--home", str(tmp_path / "none"), given=mail(line * 90))


def test_standard_input_as_json(tmp_path: Path) -> None:
    found = json.loads(said("-", "--json", "--home", str(tmp_path / "none"), given=mail()))
    assert found["author"] == "nurse@clinic.test" and found["proved"]["dkim"][0]["domain"] == "clinic.test"
    assert "raw" not in found


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    assert "cannot be read" in said(str(tmp_path / "absent.eml"), code=2)
    (tmp_path / "x.eml").write_bytes(b"hello")
    assert said(str(tmp_path / "x.eml"), code=2).startswith("carepost: ")


def test_no_django(tmp_path: Path) -> None:
    program = "import sys, carepost.cli.headers; assert 'django' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
