"""`carepost audit`: on a home as it lies there, stopped; exit codes, words, JSON, and a kept checkpoint."""

import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from carepost.audit import reader, sequencer
from carepost.audit.store import SqliteStore
from carepost.cli import audit
from carepost.cli.main import main
from carepost.directory.sql import COLUMNS
from carepost.ground import database, home, ids
from carepost.ground.keys import MasterKeyring
from carepost.ground.orgkeys import OrgKeys
from carepost.proof import event, kinds, openings
from carepost.proof.note import SignerKey
from carepost.queue.sealing import month_key
from carepost.wire.types import Drained

ORG = uuid.UUID("018f0000-0000-7000-8000-0000000000aa").bytes
AT = 1_800_000_000_000_000


class Lying:
    """A stopped home with a log of eight events, and the office's views as tables."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.home = home.create(path, sandbox=True)
        keys = MasterKeyring.create(self.home.keyring()).purposes()
        self.records_key = keys.raw("database", b"records.db")
        org_keys = OrgKeys(keys)
        wrapped = org_keys.new(ORG, "evidence", 1)
        self.evidence = org_keys.open(ORG, "evidence", 1, wrapped)
        office = database.connect(self.home.office_db, keys.raw("database", b"office.db"))
        for view, names in COLUMNS.items():
            office.execute(f"CREATE TABLE {view} (org, {', '.join(names)})")
        office.execute("INSERT INTO engine_epoch VALUES (?, 1)", (ORG.hex(),))
        office.execute(
            "INSERT INTO engine_org VALUES (?, 'demo', 1, '1', '', '', '', '', '', 30, 60, 'demo', '')", (ORG.hex(),)
        )
        office.execute("INSERT INTO engine_key VALUES (?, 'evidence', 1, ?, 0, 0)", (ORG.hex(), wrapped))
        office.close()
        records = self.records()
        store = SqliteStore(records)
        store.migrate()
        sequencer.sequence(store, [self.row(n) for n in range(1, 6)], signer)
        sequencer.sequence(store, [self.row(n, "office") for n in range(1, 4)], signer)
        point = reader.checkpoint(store, ORG)
        assert point is not None
        (path / "kept").write_bytes(point.note)
        records.close()

    def records(self) -> Any:
        return database.connect(self.home.records_db, self.records_key)

    def row(self, number: int, source: str = "shard-0001") -> Drained:
        draft, opened = kinds.make(
            kinds.DELIVERY_QUEUED, id=str(uuid.UUID(int=number)), org=ids.text(ORG), at=AT, actor=("key", "k"),
            on=["m", "d"], values={"recipient": b"bo@verified.test"},
        )  # fmt: skip
        # the office may seal under the organisation's key itself
        key = self.evidence if source == "office" and number % 2 else month_key(self.evidence, AT)
        sealed = openings.seal(key, 1, ORG, draft.id, opened)
        return Drained(number, ORG, event.finish(draft, source, number), sealed)

    def edit(self, sql: str, *parameters: object) -> None:
        connection = self.records()
        connection.execute(sql, parameters)
        connection.close()

    def run(self, *arguments: str) -> int:
        return main(["audit", *arguments, "--home", str(self.path)])


def signer(org: bytes, _key: str = "") -> SignerKey:
    return SignerKey(sequencer.origin(org), hashlib.sha256(org).digest())


@pytest.fixture
def lying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lying:
    for name in list(os.environ):
        if name.startswith("CAREPOST_"):
            monkeypatch.delenv(name)
    return Lying(tmp_path / "home")


def test_a_home_whose_log_holds(lying: Lying, capsys: pytest.CaptureFixture[str]) -> None:
    assert lying.run("verify") == 0
    said = capsys.readouterr().out
    assert "8 events, 2 checkpoints" in said
    assert "Only inner consistency was checked" in said
    assert lying.run("verify", "--checkpoint", str(lying.path / "kept"), "--org", "demo", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["compared_with_outside"]) == (True, True)
    # every sealed part was opened, those of the office too
    assert (answer["logs"][0]["opened"], answer["logs"][0]["unopened"]) == (8, 0)


def test_a_running_home_is_read_beside_its_writer(lying: Lying, capsys: pytest.CaptureFixture[str]) -> None:
    records = lying.records()
    store = SqliteStore(records)
    sequencer.sequence(store, [lying.row(6)], signer)
    records.execute("BEGIN IMMEDIATE")
    records.execute("DELETE FROM audit_leaf")
    assert lying.run("verify", "--checkpoint", str(lying.path / "kept")) == 0
    assert "9 events, 3 checkpoints" in capsys.readouterr().out
    records.execute("ROLLBACK")
    records.close()


def test_an_edit_is_exit_1_and_named(lying: Lying, capsys: pytest.CaptureFixture[str]) -> None:
    lying.edit("UPDATE audit_leaf SET event = ? WHERE idx = 2", b"{}")
    assert lying.run("verify") == 1
    said = capsys.readouterr().out
    assert "FAILED leaf-changed: leaf 2 (event 3 of shard-0001)" in said
    assert "bo@verified.test" not in said


def test_a_missing_tail_is_named_against_the_kept_checkpoint(lying: Lying, capsys: pytest.CaptureFixture[str]) -> None:
    for table in ("leaf", "node", "on", "checkpoint", "key", "log", "source"):
        lying.edit(f"DELETE FROM audit_{table}")
    assert lying.run("verify") == 0
    assert lying.run("verify", "--checkpoint", str(lying.path / "kept")) == 1
    assert "tail-missing" in capsys.readouterr().out


def test_a_damaged_page_of_the_file_is_named(lying: Lying, capsys: pytest.CaptureFixture[str]) -> None:
    lying.edit("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(lying.home.records_db.read_bytes())
    for page in range(database.PAGE, len(raw), 4096):
        raw[page + 100] ^= 1
    lying.home.records_db.write_bytes(bytes(raw))
    assert lying.run("verify", "--json") == 1
    assert [f["code"] for f in json.loads(capsys.readouterr().out)["findings"]] == ["unreadable"]


def test_a_database_that_is_not_to_be_had_is_not_called_damaged(
    lying: Lying, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def locked(*_: object) -> None:
        raise database.OperationalError("database is locked")

    monkeypatch.setattr(audit, "verify_log", locked)
    assert lying.run("verify") == 2
    said = capsys.readouterr()
    assert "Another program holds a database" in said.err and "damaged" not in said.err + said.out


def test_checkpoints_are_printed_to_be_kept(lying: Lying, capsys: pytest.CaptureFixture[str]) -> None:
    assert lying.run("checkpoint") == 0
    assert capsys.readouterr().out.encode() == (lying.path / "kept").read_bytes() + b"\n"
    assert lying.run("checkpoint", "--json", "--org", ids.text(ORG)) == 0
    assert list(msgspec.json.decode(capsys.readouterr().out)) == [ids.text(ORG)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "--org", "nobody"], "no organisation 'nobody'"),
        (["verify", "--checkpoint", "/nowhere"], "cannot be read"),
        (["verify", "--checkpoint", "{home}/home.json"], "neither a checkpoint nor a proof file"),
    ],
)
def test_what_is_not_understood_is_exit_2(
    lying: Lying, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert lying.run(*(a.replace("{home}", str(lying.path)) for a in arguments)) == 2
    assert words in capsys.readouterr().err


def test_a_home_without_a_log_and_a_wrong_keyring(lying: Lying, capsys: pytest.CaptureFixture[str]) -> None:
    keyring = lying.home.keyring()
    keyring.unlink()
    assert lying.run("verify") == 2
    MasterKeyring.create(keyring)
    assert lying.run("verify") == 2
    assert "keyring" in capsys.readouterr().err
    lying.home.records_db.unlink()
    assert lying.run("verify") == 2
    assert "no log yet" in capsys.readouterr().err
