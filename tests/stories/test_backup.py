"""A home is backed up while it works, lost, and made again in an empty folder: what is told stays true, and nothing
that may have been sent meanwhile is sent again by itself."""

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from carepost.proof.verify import verify
from tests.support.cluster import Cluster, cluster
from tests.support.house import House, Model
from tests.support.waiting import until

#: longer than the test: what waits, waits until it is asked for
LATE = {"CAREPOST_RETRY_FIRST": 900, "CAREPOST_RETRY_LONGEST": 900, "CAREPOST_GIVE_UP": 90_000}


@pytest.mark.parametrize("office", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_home_is_lost_and_made_again_from_its_backup(tmp_path: Path, office: str) -> None:
    if office == "sqlite":
        _story(tmp_path, None, {})
        return
    with cluster() as postgres:
        model = Model(tmp_path, CAREPOST_DATABASE_URL=postgres.owned())
        _story(tmp_path, model, {"CAREPOST_DATABASE_URL": _empty(postgres)})


def _story(tmp_path: Path, model: Model | None, elsewhere: dict[str, Any]) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    file = kept / "clinic.backup"
    with House(_folder(tmp_path, "first"), copied=model, **LATE) as first:
        shutil.copy(first.path / "keyring.json", kept / "keyring.json")
        sent = first.send("ann.sent@verified.test")
        twice = first.send("bea.waits@greylist.test")
        waits = first.send("cy.waits@full.test")
        first.send("dee.portal@selfsigned.test")
        first.arrived("ann.sent@verified.test")
        assert len(first.arrived("dee.portal@selfsigned.test")) == 1
        for message in (twice, waits):
            until(lambda m=message: _state(first, m) == "deferred", within=40, what="it waits")
        with _Load(first) as load:
            until(lambda: len(load.taken) >= 5, within=30, what="it is at work")
            before = list(load.taken)
            made = json.loads(first.carepost("backup", str(file), "--json"))
            until(lambda: len(load.taken) > len(before) + 3, within=30, what="it goes on working")
        assert made["file"] == str(file) and made["waiting"] >= 2
        assert "keyring" not in file.read_bytes()[:4096].decode(errors="replace")
        # sent after the backup: the restored home cannot know it
        delivery = twice["deliveries"][0]["id"]
        first.carepost("queue", "retry", delivery, "--reason", "now")
        assert len(first.arrived("bea.waits@greylist.test")) == 1
        first.kill_all()

    folder = _folder(tmp_path, "second")
    shutil.copytree(first.model.path, folder / "home")
    second = House(folder, copied=model, **LATE, **elsewhere, CAREPOST_KEYRING=kept / "keyring.json")
    assert "is not empty" in _refused(second, str(file))
    shutil.rmtree(folder / "home")
    _bad_files(second, file, kept)
    assert json.loads(second.carepost("restore", str(file), "--check", "--json"))["at"] == made["at"]
    assert not second.path.exists(), "checking writes nothing"
    done = json.loads(second.carepost("restore", str(file), "--json"))
    assert done["backup_at"] == made["at"] and done["held"] == made["waiting"]
    assert not list(second.path.rglob("keyring.json")), "the keyring is in no backup"
    assert json.loads(second.carepost("audit", "verify", "--json"))["ok"]
    with second:
        for message in (twice, waits):
            until(lambda m=message: _view(second, m)["deliveries"][0]["state"] == "held", within=30, what="it is held")
            [told] = _view(second, message)["deliveries"]
            assert told["reason"] == "restored" and "may then arrive a second time" in told["words"]
        assert _state(second, sent) == "sent"
        # it works, and nothing of before left by itself
        second.send("eve.new@verified.test")
        second.arrived("eve.new@verified.test")
        assert second.mails("bea.waits@greylist.test") == []
        assert second.mails("ann.sent@verified.test") == []
        assert second.mails("dee.portal@selfsigned.test") == [], "no second notice"
        for message in before:
            assert second.request("GET", f"/api/v1/messages/{message}")[0] == 200, "what was acknowledged is there"
        second.carepost("queue", "release", "--restored", "--reason", "the senders were asked")
        # its side has never seen us in this world, and asks to come back once more
        until(lambda: _state(second, twice) == "deferred", within=30, what="it was tried")
        second.carepost("queue", "retry", delivery, "--reason", "now")
        assert len(second.arrived("bea.waits@greylist.test")) == 1
        until(lambda: second.counters()["full.test"].recipients_refused == 1, within=30, what="the full one is tried")
        assert second.mails("ann.sent@verified.test") == []
        assert json.loads(second.carepost("audit", "verify", "--json"))["ok"]
        query = f"proof?delivery={sent['deliveries'][0]['id']}"
        status, proof = second.request("GET", f"/api/v1/messages/{sent['id']}/{query}")
        assert status == 200 and verify(proof, None, None).ok
        assert "Traceback" not in second.logs()


def _bad_files(house: House, file: Path, kept: Path) -> None:
    """Altered, cut, of another keyring, of a newer Carepost, none at all."""
    bad = kept / "bad"
    raw = file.read_bytes()
    for altered in (raw[: len(raw) // 2] + b"\0" + raw[len(raw) // 2 + 1 :], raw[:-1], raw[:-5000], raw + b"x"):
        bad.write_bytes(altered)
        assert "damaged" in _refused(house, str(bad))
        assert not house.path.exists()
    bad.write_bytes(raw.replace(b'"format":1,"carepost":"', b'"format":2,"carepost":"', 1))
    assert "newer Carepost" in _refused(house, str(bad))
    bad.write_bytes(b"no backup at all")
    assert "is no backup" in _refused(house, str(bad))
    wrong = json.loads((kept / "keyring.json").read_text())
    wrong["keys"]["1"] = "A" * 43 + "="
    (kept / "wrong.json").write_text(json.dumps(wrong))
    (kept / "wrong.json").chmod(0o600)
    assert "does not open the backup" in _refused(house, str(file), CAREPOST_KEYRING=str(kept / "wrong.json"))
    assert not house.path.exists()


def _refused(house: House, file: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "carepost.cli.main", "restore", file, "--home", str(house.path)],
        env={**house.environ, **more}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert done.stderr.startswith("carepost: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


class _Load:
    """A client that goes on sending. `taken`: ids of what was acknowledged."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.taken: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.taken.append(self._house.send(f"n{len(self.taken)}@verified.test")["id"])

    def __enter__(self) -> "_Load":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(30)


def _view(house: House, message: Any) -> Any:
    status, answer = house.request("GET", f"/api/v1/messages/{message['id']}")
    return answer if status == 200 else {"deliveries": [{"state": "", "status": status}]}


def _state(house: House, message: Any) -> str:
    return str(_view(house, message)["deliveries"][0]["state"])


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


def _empty(postgres: Cluster) -> str:
    """Another database, of another name and owner, as on another server."""
    return postgres.owned("elsewhere")
