"""A new master key: what the old one wrapped still opens, and what must be found again is found."""

from pathlib import Path

import pytest

from carepost.ground import database
from carepost.ground.errors import ConfigError
from carepost.ground.keys import MasterKeyring, WrongKey, version_of
from carepost.processes import rotation

pytestmark = pytest.mark.fast


def test_old_wraps_open_and_new_ones_name_the_newest_version(tmp_path: Path) -> None:
    before = MasterKeyring.create(tmp_path / "keyring.json")
    wrapped = before.purposes().wrap("dkim", b"a private key", b"place")
    after = before.rotate()
    keys = after.purposes()
    assert (before.current, after.current, version_of(wrapped)) == (1, 2, 1)
    assert keys.unwrap("dkim", wrapped, b"place") == b"a private key"
    anew = keys.rewrap("dkim", wrapped, b"place")
    assert anew is not None and version_of(anew) == 2
    assert keys.unwrap("dkim", anew, b"place") == b"a private key"
    assert keys.rewrap("dkim", anew, b"place") is None
    with pytest.raises(WrongKey):
        before.purposes().unwrap("dkim", anew, b"place")
    with pytest.raises(WrongKey):
        keys.rewrap("dkim", wrapped, b"another place")
    assert MasterKeyring.open(tmp_path / "keyring.json").current == 2
    assert (tmp_path / "keyring.json").stat().st_mode & 0o077 == 0


def test_tokens_and_signers_stay_and_the_files_key_moves(tmp_path: Path) -> None:
    before = MasterKeyring.create(tmp_path / "keyring.json").purposes()
    after = MasterKeyring.open(tmp_path / "keyring.json").rotate().purposes()
    for purpose, info in (("index", b"intake"), ("index", b"destination"), ("signing", b"house")):
        assert before.raw(purpose, info) == after.raw(purpose, info)
    assert before.raw("database", b"office.db") != after.raw("database", b"office.db")
    assert before.raw("database", b"office.db") == after.raw("database", b"office.db", 1)


def test_database_files_are_encrypted_anew_wherever_the_last_run_was_cut(tmp_path: Path) -> None:
    keyring = MasterKeyring.create(tmp_path / "keyring.json")
    home = tmp_path / "home"
    home.mkdir()
    for name in rotation.FILES:
        made = database.connect(home / name, keyring.purposes().raw("database", name.encode()))
        made.execute("CREATE TABLE t (x)")
        made.execute("INSERT INTO t VALUES (randomblob(50000))")
        made.close()
    keys = keyring.rotate().purposes("database")
    # cut after the first of the two
    first = rotation.FILES[0]
    database.rekey(home / first, keys.raw("database", first.encode(), 1), keys.raw("database", first.encode()))
    said: list[str] = []
    assert rotation.bring(home, keys, said.append) == 1
    assert said == [f"keys        {rotation.FILES[1]} is encrypted anew under the newest key"]
    assert rotation.bring(home, keys, said.append) == 0
    for name in rotation.FILES:
        opened = database.connect(home / name, keys.raw("database", name.encode()))
        assert opened.execute("SELECT count(*) FROM t").fetchone() == (1,)
        opened.close()
        with pytest.raises(ConfigError):
            database.connect(home / name, keys.raw("database", name.encode(), 1))


def test_a_file_of_another_keyring_is_told(tmp_path: Path) -> None:
    MasterKeyring.create(tmp_path / "other.json")
    database.connect(tmp_path / "office.db", bytes(range(32))).close()
    keys = MasterKeyring.open(tmp_path / "other.json").rotate().purposes("database")
    with pytest.raises(ConfigError, match="CAREPOST_KEYRING"):
        rotation.bring(tmp_path, keys)
