"""A home at work changes the key of its log and of its search: proofs of before, during and after verify by either key,
nothing that was found is lost, also where the journal is killed in between."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from carepost.proof.verify import verify
from tests.support.house import House
from tests.support.waiting import until


def test_a_home_changes_the_keys_of_log_and_search_at_work(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        sent = [house.send("ann@verified.test", subject="Earliest panel")]
        until(lambda: _state(house, sent[0]) == "sent", within=40, what="it is on record")
        old, early = tmp_path / "old.key", tmp_path / "early.proof"
        old.write_bytes(house.request("GET", "/.well-known/carepost-log")[1])
        early.write_bytes(_proof(house, sent[0]))
        going, ids = threading.Event(), []

        def keep_sending() -> None:
            while not going.wait(0.05) and len(ids) < 200:
                ids.append(house.send("bea@verified.test", subject="Panel meanwhile"))

        sender = threading.Thread(target=keep_sending)
        sender.start()
        try:
            until(lambda: len(ids) > 3, within=20, what="mail goes on")
            made = json.loads(house.carepost("org", "rotate-key", "signing", "--reason", "yearly", "--json"))
            former = house.kill("journal")
            assert made == {"purpose": "signing", "version": 2}
            other = json.loads(house.carepost("org", "rotate-key", "index", "--reason", "yearly", "--json"))
            assert other["version"] == 2 and other["serves_from"]
            house.until_again("journal", former)
            until(lambda: _turned(house), within=40, what="the log turned its key")
        finally:
            going.set()
            sender.join(60)
        sent += [ids[0], ids[len(ids) // 2], ids[-1], house.send("cyd@verified.test", subject="Latest panel")]
        until(lambda: all(_state(house, one) == "sent" for one in sent), within=60, what="all are on record")
        new = tmp_path / "new.key"
        new.write_bytes(house.request("GET", "/.well-known/carepost-log")[1])
        assert b" until " in new.read_bytes() and b" until " not in old.read_bytes()
        proofs = [_proof(house, one) for one in sent]
        for raw in (*proofs, early.read_bytes()):
            for known in (old, new):
                _holds(raw, known.read_bytes())
        late = tmp_path / "late.proof"
        late.write_bytes(proofs[-1])
        verdict = json.loads(_alone(house, "verify", str(late), "--key", str(old), "--json"))
        assert verdict["signer"] == "identified"
        words = ("audit", "verify", "--json", "--key", str(old), "--checkpoint", str(early), "--checkpoint", str(late))
        report = json.loads(house.carepost(*words))
        assert report["ok"] and report["compared_with_outside"]
        # the second key of the search serves in a minute: what the first one indexed is found
        assert _found(house, "earliest") == 1 and _found(house, "meanwhile") == min(len(ids), 50)
        assert "Traceback" not in house.logs()


def _holds(proof: bytes, key: bytes) -> None:
    verdict = verify(proof, None, key.decode())
    assert verdict.ok and verdict.signer == "identified", verdict.words


def _alone(house: House, *words: str) -> str:
    """A command that knows of no home."""
    done = subprocess.run(
        [sys.executable, "-m", "carepost.cli.main", *words],
        env=house.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _turned(house: House) -> bool:
    status, page = house.request("GET", "/.well-known/carepost-log")
    return status == 200 and b" until " in page


def _state(house: House, message: dict[str, Any]) -> str:
    status, answer = house.request("GET", f"/api/v1/messages/{message['id']}")
    return str(answer["deliveries"][0]["state"]) if status == 200 else str(status)


def _proof(house: House, message: dict[str, Any]) -> bytes:
    _, answer = house.request("GET", f"/api/v1/messages/{message['id']}")
    delivery = answer["deliveries"][0]["id"]
    found: list[bytes] = []

    def there() -> bool:
        status, raw = house.request("GET", f"/api/v1/messages/{message['id']}/proof?delivery={delivery}")
        found[:] = [raw] if status == 200 else []
        return status == 200

    until(there, within=30, what="its events are in the log")
    return found[0]


def _found(house: House, word: str) -> int:
    status, answer = house.request("POST", "/api/v1/messages/search", {"subject": word, "limit": 50})
    assert status == 200, answer
    return len(answer["messages"])
