"""The two small mapped files: attempts past their final dot (law 6), and messages of the last hour (BI-023)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from carepost.spool.dots import Dots
from carepost.spool.repeats import HOUR, Repeats

pytestmark = pytest.mark.fast

BOOT = b"one boot of the machine"


def lease() -> bytes:
    return os.urandom(16)


def trusted(path: Path, boot: bytes = BOOT, slots: int = 8) -> Dots:
    dots = Dots(path, boot, slots)
    dots.trust()
    return dots


def test_a_mark_survives_the_process_and_a_cleared_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "dots"
    past, settled, before = lease(), lease(), lease()
    program = (
        "import os, signal, sys; from pathlib import Path; from carepost.spool.dots import Dots\n"
        "dots = Dots(Path(sys.argv[1]), sys.argv[2].encode(), 8); dots.trust()\n"
        "dots.mark(bytes.fromhex(sys.argv[3])); dots.mark(bytes.fromhex(sys.argv[4]))\n"
        "dots.clear(bytes.fromhex(sys.argv[4])); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    arguments = [sys.executable, "-c", program, str(path), BOOT.decode(), past.hex(), settled.hex()]
    assert subprocess.run(arguments, check=False).returncode == -9
    dots = Dots(path, BOOT, 8)
    assert dots.trusted
    assert dots.marked(past)
    assert not dots.marked(settled)
    assert not dots.marked(before)


def test_a_fresh_file_and_one_of_another_boot_are_not_trusted(tmp_path: Path) -> None:
    assert not Dots(tmp_path / "dots", BOOT, 8).trusted
    trusted(tmp_path / "dots").close()
    assert Dots(tmp_path / "dots", BOOT, 8).trusted
    other = Dots(tmp_path / "dots", b"another boot", 8)
    assert not other.trusted
    other.trust()
    assert not Dots(tmp_path / "dots", BOOT, 8).trusted


def test_a_system_without_a_boot_id_is_never_trusted(tmp_path: Path) -> None:
    trusted(tmp_path / "dots", b"").close()
    assert not Dots(tmp_path / "dots", b"", 8).trusted


def test_with_no_slot_left_absence_means_nothing_any_more(tmp_path: Path) -> None:
    dots = trusted(tmp_path / "dots", slots=2)
    for _ in range(3):
        dots.mark(lease())
    assert not Dots(tmp_path / "dots", BOOT, 2).trusted


def test_slots_are_used_again(tmp_path: Path) -> None:
    dots = trusted(tmp_path / "dots", slots=2)
    for _ in range(100):
        one = lease()
        dots.mark(one)
        dots.mark(one)
        assert dots.marked(one)
        dots.clear(one)
    assert Dots(tmp_path / "dots", BOOT, 2).trusted


def test_a_repeat_is_found_for_an_hour_by_every_engine(tmp_path: Path) -> None:
    mine, theirs = Repeats(tmp_path / "repeats", 64), Repeats(tmp_path / "repeats", 64)
    token, message = os.urandom(16), os.urandom(16)
    assert mine.find(token, 1000) is None
    mine.put(token, message, 1000)
    assert theirs.find(token, 1000) == message
    assert theirs.find(token, 1000 + HOUR) == message
    assert theirs.find(token, 1001 + HOUR) is None
    assert theirs.find(os.urandom(16), 1000) is None


def test_the_first_message_stays_the_one_repeated(tmp_path: Path) -> None:
    table = Repeats(tmp_path / "repeats", 64)
    token, first, second = os.urandom(16), os.urandom(16), os.urandom(16)
    table.put(token, first, 1000)
    table.put(token, second, 2000)
    assert table.find(token, 3000) == first
    table.put(token, second, 2000 + HOUR)
    assert table.find(token, 2001 + HOUR) == second


def test_a_full_bucket_gives_up_its_oldest(tmp_path: Path) -> None:
    table = Repeats(tmp_path / "repeats", 4)
    tokens = [os.urandom(16) for _ in range(6)]
    for i, token in enumerate(tokens):
        table.put(token, bytes([i]) * 16, 1000 + i)
    assert [table.find(token, 2000) is not None for token in tokens] == [False, False, True, True, True, True]
