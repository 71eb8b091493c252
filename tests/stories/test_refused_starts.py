"""What `carepost up` cannot do it says in one clear sentence that names the mend, and ends with 2."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from carepost.archive import health
from carepost.ground import database
from carepost.ground import home as homes
from carepost.ground.keys import MasterKeyring
from tests.support.disks import mountable, mounted
from tests.support.house import ENGINE_ONLY, PROCESS, ROOT, House, environment, model


def up(home: Path, *arguments: str, sandbox: bool = True, **more: object) -> tuple[int, list[str]]:
    """(exit code, lines of standard error) of `carepost up`."""
    words = [sys.executable, "-m", "carepost.cli.main", "up", "--home", str(home), *arguments]
    done = subprocess.run(
        [*words, "--sandbox"] if sandbox else words, env=environment(model().ports, **more), cwd=ROOT,
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    return done.returncode, done.stderr.splitlines()


def refused(answer: tuple[int, list[str]], *words: str) -> None:
    code, lines = answer
    assert code == 2, lines
    said = [line for line in lines if not line.startswith("{")]
    assert len(said) == 1, lines
    assert said[0].startswith("carepost: ") and all(word in said[0] for word in words), said


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return Path(shutil.copytree(model().path, tmp_path / "home"))


def test_a_port_taken(home: Path) -> None:
    with socket.create_server(("127.0.0.1", model().ports["mx"])):
        refused(up(home), str(model().ports["mx"]), "CAREPOST_PORT_MX")


def test_a_newer_home(home: Path) -> None:
    mark = home / "home.json"
    mark.write_text(mark.read_text().replace('"format":1', '"format":99'))
    refused(up(home), "newer Carepost", "99")


def test_a_home_that_runs_already(tmp_path: Path) -> None:
    with House(tmp_path, *ENGINE_ONLY) as house:
        refused(up(house.path), "already runs")


def test_a_real_home_is_no_sandbox(tmp_path: Path) -> None:
    homes.create(tmp_path / "real")
    refused(up(tmp_path / "real"), "real home", "--home")


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("not a home")
    refused(up(tmp_path), "not empty", "CAREPOST_HOME")


def test_a_home_of_somebody_else(home: Path) -> None:
    """Root runs this as nobody; anybody else is kept out by the mode."""
    home.chmod(0)
    user = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    try:
        for verb in ("up", "doctor"):
            done = subprocess.run(
                [sys.executable, "-m", "carepost.cli.main", verb, "--home", str(home)], env=environment(model().ports),
                cwd=ROOT, capture_output=True, text=True, timeout=120, **user,
            )  # fmt: skip
            refused((done.returncode, done.stderr.splitlines()), "user", str(home))
    finally:
        home.chmod(0o700)


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    refused(up(tmp_path / ("long" * 25)), "shorter", "CAREPOST_HOME")


def _wrong_keyring(home: Path) -> None:
    (home / "keyring.json").unlink()
    MasterKeyring.create(home / "keyring.json")


def _no_keyring(home: Path) -> None:
    (home / "keyring.json").unlink()


def _no_keyring_nor_office(home: Path) -> None:
    """As where PostgreSQL holds the office: nothing in the home but its mark says that a keyring was made."""
    (home / "keyring.json").unlink()
    (home / "office.db").unlink()


def _damaged_keyring(home: Path) -> None:
    (home / "keyring.json").write_text("{")


def _damaged_mark(home: Path) -> None:
    (home / "home.json").write_text("{")


def _damaged_office(home: Path) -> None:
    (home / "office.db").write_bytes(os.urandom(65_536))


def _cut_office(home: Path) -> None:
    """As a disk leaves it that was full while it was copied."""
    file = home / "office.db"
    file.write_bytes(file.read_bytes()[: 10 * database.PAGE])


def _older_list(home: Path) -> None:
    """As when django_migrations alone came from a backup."""
    with contextlib.closing(_opened(home, "office.db")) as office:
        office.execute("DELETE FROM django_migrations WHERE app = 'senders' AND name LIKE '0002%'")


def _newer_office(home: Path) -> None:
    with contextlib.closing(_opened(home, "office.db")) as office:
        office.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('senders', '0099_x', '2026-01-01')")


def _opened(home: Path, name: str) -> database.Connection:
    keys = MasterKeyring.open(home / "keyring.json").purposes("database")
    return database.connect(home / name, keys.raw("database", name.encode()))


def _damaged_records(home: Path) -> None:
    (home / "records.db").write_bytes(os.urandom(65_536))


def _damaged_spool(home: Path) -> None:
    (home / "spool" / "shard-0000" / "spool.db").write_bytes(os.urandom(65_536))


def _damaged_certificate(home: Path) -> None:
    (home / "tls" / "localhost.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


def _no_office(home: Path) -> None:
    (home / "office.db").unlink()


def _no_records(home: Path) -> None:
    (home / "spool" / "shard-0000" / "spool.db").touch()
    (home / "records.db").unlink()


def _no_shard(home: Path) -> None:
    """The journal took events from it; the folder is gone with its file."""
    state = health.JournalState(at=1, sources={"shard-0001": health.SourceState(head=7, taken=7)})
    (home / "run" / health.NAME).write_bytes(msgspec.json.encode(state))
    (home / "spool" / "shard-0000" / "spool.db").touch()
    (home / "spool" / "shard-0001").rmdir()


def _settings(home: Path) -> None:
    (home / "carepost.toml").write_text("colour = 'blue'\n")


def _no_toml(home: Path) -> None:
    (home / "carepost.toml").write_text("listen = \n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_wrong_keyring, ("keyring",)),
        (_no_keyring, ("keyring", "CAREPOST_KEYRING")),
        (_no_keyring_nor_office, ("keyring", "CAREPOST_KEYRING")),
        (_damaged_keyring, ("keyring",)),
        (_damaged_mark, ("home.json",)),
        (_damaged_office, ("office", "keyring")),
        (_cut_office, ("database", "damaged", "restore")),
        (_older_list, ("list of changes", "restore")),
        (_newer_office, ("newer Carepost", "senders")),
        (_damaged_records, ("records", "keyring")),
        (_damaged_spool, ("shard-0000", "backup")),
        (_damaged_certificate, ("localhost",)),
        (_no_office, ("office.db", "missing", "restore")),
        (_no_records, ("records.db", "missing", "restore")),
        (_no_shard, ("spool/shard-0001/spool.db", "missing", "restore")),
        (_settings, ("colour",)),
        (_no_toml, ("carepost.toml", "TOML")),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_home_that_is_spoiled(home: Path, spoil: Callable[[Path], None], words: tuple[str, ...]) -> None:
    spoil(home)
    refused(up(home), *words)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_no_office, "office.db is missing"),
        (_wrong_keyring, "not the one made with this home"),
        (_cut_office, "the office database cannot be read: A database of the home is damaged"),
        (_newer_office, "the office database was made by a newer Carepost (senders 0099)"),
    ],
)
def test_doctor_says_it_too(home: Path, spoil: Callable[[Path], None], words: str) -> None:
    spoil(home)
    done = subprocess.run(
        [sys.executable, "-m", "carepost.cli.main", "doctor", "--home", str(home), "--json"],
        env=environment(model().ports), cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    failed = [one["what"] for one in msgspec.json.decode(done.stdout) if one["state"] == "failed"]
    assert done.returncode == 1 and any(words in what for what in failed), failed


def test_a_database_another_program_holds_locked(home: Path) -> None:
    with contextlib.closing(_opened(home, "records.db")) as records:
        records.execute("BEGIN EXCLUSIVE")
        refused(up(home), "locked", "carepost backup")


def test_a_command_says_in_one_sentence_what_the_database_has(home: Path) -> None:
    _cut_office(home)
    done = subprocess.run(
        [sys.executable, "-m", "carepost.cli.main", "org", "list", "--home", str(home)],
        env=environment(model().ports), cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    refused((done.returncode, done.stderr.splitlines()), "damaged", "carepost restore")


@pytest.mark.skipif(not mountable(), reason="only root may mount, and not everywhere")
@pytest.mark.parametrize(
    ("options", "words"),
    [("size=2m", ("disk is full", "free space")), ("size=64m,ro", ("cannot be written", "CAREPOST_HOME"))],
)
def test_a_first_start_on_a_disk_that_takes_nothing(tmp_path: Path, options: str, words: tuple[str, ...]) -> None:
    """What it made before it was full is taken up by the next start, once there is room."""
    with mounted(tmp_path, options) as disk:
        refused(up(disk / "home"), *words)
        subprocess.run(["mount", "-o", "remount,rw,size=200m", str(disk)], check=True)
        # a port taken is what is looked at before anything else: the tables alone are wanted here
        done = subprocess.run(
            [sys.executable, str(PROCESS), "prepare", str(disk / "home")],
            env=environment(model().ports), cwd=ROOT, capture_output=True, text=True, timeout=280,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_folders_that_hold_nothing_are_made_again(home: Path) -> None:
    for folder in ("run", "log", "tls"):
        shutil.rmtree(home / folder, ignore_errors=True)
    homes.furnish(homes.open_(home))
    assert all((home / folder).stat().st_mode & 0o777 == 0o700 for folder in ("run", "log", "tls"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAREPOST_COLOUR", "blue"),
        ("CAREPOST_ENGINES", "many"),
        ("CAREPOST_LISTEN", "nowhere.invalid"),
        ("CAREPOST_DATABASE_URL_FILE", "/nonexistent/url"),
        ("CAREPOST_RESOLVERS", "not an address"),
        ("CAREPOST_OUTBOUND_CA", "/nonexistent/ca.pem"),
        ("CAREPOST_KEYRING", "/nonexistent/keyring.json"),
    ],
)
def test_a_setting_that_is_wrong(home: Path, name: str, value: str) -> None:
    code, lines = up(home, **{name: value})
    setting = name.removeprefix("CAREPOST_")
    refused((code, [line.replace(setting.lower(), setting) for line in lines]), setting)
