"""`carepost verify`: exit codes, words, JSON, and that neither Django nor a database is loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from carepost.cli.main import main

VECTORS = Path(__file__).parents[2] / "vectors" / "proof"
pytestmark = pytest.mark.fast


def test_a_good_proof_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(
        [
            "verify",
            str(VECTORS / "tls.proof"),
            "--message",
            str(VECTORS / "received.eml"),
            "--key",
            str(VECTORS / "log.key"),
        ]
    )
    said = capsys.readouterr().out
    assert code == 0
    assert said.startswith("proven, and the mail is the one of this proof\n")
    for words in (
        "bo@verified.test",
        "mx.verified.test [127.0.0.1]: 250 2.0.0 Ok for [recipient]",
        "What it does not prove:",
    ):
        assert words in said


def test_an_altered_mail_is_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["verify", str(VECTORS / "tls.proof"), "--message", str(VECTORS / "altered.eml")])
    said = capsys.readouterr().out
    assert code == 1
    assert "FAILED  message" in said
    assert "the text (body) differs" in said


def test_json_is_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(VECTORS / "portal.proof"), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["ok"], verdict["signer"], verdict["recipient"]) == (True, "not identified", "cy@x.test")
    assert {check["name"] for check in verdict["checks"]} >= {
        "structure",
        "events",
        "checkpoint",
        "inclusion",
        "openings",
    }


def test_a_file_that_cannot_be_read_is_exit_2(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["verify", str(tmp_path / "none")]) == 2
    assert main(["verify", str(VECTORS / "tls.proof"), "--key", str(tmp_path / "none")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    with pytest.raises(SystemExit) as usage:
        main(["verify"])
    assert usage.value.code == 2


def test_a_hostile_file_sends_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.proof"
    bad.write_bytes(b"\x1b[2J{}")
    assert main(["verify", str(bad)]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_only_kernel_rooms_are_loaded() -> None:
    script = (
        "import sys; from carepost.cli.main import main; code = main(['verify', sys.argv[1]]);"
        "outside = ('django', 'sqlcipher3', 'sqlite3', 'psycopg', 'asyncio', 'uvloop');"
        "rooms = ('cli', 'proof', 'crypto', 'rfc', 'policy', 'ground');"
        "parts = [m.split('.') for m in sys.modules];"
        "bad = [p for p in parts if p[0] in outside or p[0] == 'carepost' and len(p) > 1 and p[1] not in rooms];"
        "print(bad); sys.exit(code or bool(bad))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(VECTORS / "tls.proof")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-500:]
