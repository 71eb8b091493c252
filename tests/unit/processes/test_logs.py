"""A log past its size is set aside; who writes into it goes on."""

import os
from pathlib import Path

import pytest

from carepost.processes import logs

pytestmark = pytest.mark.fast


def test_a_long_log_is_set_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "engine-00.log"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    (tmp_path / "journal-00.log").write_text("short\n")
    try:
        os.write(fd, b"first\n" * 20)
        assert logs.trim(tmp_path, most=100) == 1
        os.write(fd, b"second\n")
        assert path.read_bytes() == b"second\n"
        assert (tmp_path / "engine-00.log.1").read_bytes() == b"first\n" * 20
        assert (tmp_path / "engine-00.log.1").stat().st_mode & 0o777 == 0o600
        assert logs.trim(tmp_path, most=100) == 0
        os.write(fd, b"third\n" * 30)
        assert logs.trim(tmp_path, most=100) == 1
        assert (tmp_path / "engine-00.log.1").read_bytes().startswith(b"second\nthird")
        assert (tmp_path / "journal-00.log").read_text() == "short\n"
    finally:
        os.close(fd)
