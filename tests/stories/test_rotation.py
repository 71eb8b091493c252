"""The master key is rotated: stopped, then at work again with keys wrapped anew in the background, through a kill."""

import json
import subprocess
import sys
from pathlib import Path

from carepost.audit import reader
from carepost.audit.store import SqliteStore
from carepost.ground import database
from carepost.ground import home as homes
from carepost.ground.keys import MasterKeyring
from carepost.proof import kinds
from tests.support.house import ROOT, House
from tests.support.waiting import until


def test_a_rotated_home_goes_on_and_leaves_nothing_under_the_old_key(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        before = house.send("ann@verified.test")
        house.arrived("ann@verified.test")
        refused = subprocess.run(
            [sys.executable, "-m", "carepost.cli.main", "keyring", "rotate", "--home", str(house.path)],
            env=house.environ, cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert refused.returncode == 2 and "already runs" in refused.stderr
        house.carepost("backup", str(tmp_path / "before.backup"))
        until(lambda: _state(house, before) == "sent", within=20, what="it is on record")
        house.stop()
        assert json.loads(house.carepost("keyring", "rotate", "--json"))["current"] == 2
        assert "still wrapped by an older master key" in house.carepost("doctor", "--json")
        assert json.loads(house.carepost("audit", "verify", "--json"))["ok"], "files open before the next start too"
        house.start()
        former = house.kill("journal")
        house.until_again("journal", former)
        until(lambda: _left(house) == 0, within=40, what="every key is wrapped anew")
        after = house.send("bea@verified.test")
        house.arrived("bea@verified.test")
        assert _state(house, before) == "sent", "what was sealed before is read"
        until(lambda: _state(house, after) == "sent", within=20, what="what came after is on record")
        until(lambda: _told(house) is not None, within=20, what="an event says when it was done")
        assert "Traceback" not in house.logs()
        house.stop()
    # a backup of before comes under the newest key
    keyring = tmp_path / "keyring.json"
    keyring.write_bytes((house.path / "keyring.json").read_bytes())
    keyring.chmod(0o600)
    other = House(tmp_path, CAREPOST_KEYRING=keyring)
    other.path = tmp_path / "again"
    other.carepost("restore", str(tmp_path / "before.backup"), "--json")
    assert json.loads(other.carepost("audit", "verify", "--json"))["ok"]


def _left(house: House) -> int:
    found = json.loads(house.carepost("doctor", "--json", "--backup-days", "9"))
    return 0 if any("wrapped by the newest master key (2)" in one["what"] for one in found) else 1


def _told(house: House) -> str | None:
    """How many keys were wrapped anew, as the house's own log says."""
    at = homes.open_(house.path)
    keys = MasterKeyring.open(at.keyring(house.environ)).purposes("database")
    connection = database.connect(at.records_db, keys.raw("database", b"records.db"), readonly=True)
    try:
        events = reader.events_from(SqliteStore(connection), kinds.HOUSE_ORG, 0, 5000)
    finally:
        connection.close()
    return next((one.event.facts["rewrapped"] for one in events if one.event.kind == kinds.KEYS_REWRAPPED), None)


def _state(house: House, message: dict[str, str]) -> str:
    status, answer = house.request("GET", f"/api/v1/messages/{message['id']}")
    return str(answer["deliveries"][0]["state"]) if status == 200 else str(status)
