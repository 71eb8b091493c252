"""The cold store as an administrator and a patient meet it: a whole house and a real S3 server that hangs for a
while. Mail goes on without it; what lies there is said to be away, and is shown again when the store answers."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.support.bucket import ACCESS, bucket
from tests.support.house import House
from tests.support.reader import CODE, Seen, opened
from tests.support.waiting import until

TO = "jane.roe@selfsigned.test"
WORDS = "The zebrafish panel of the Quillfeather family is unremarkable."


def test_bodies_go_cold_are_shown_and_the_store_may_be_away(tmp_path: Path) -> None:
    with bucket() as there, House(tmp_path) as house:
        (tmp_path / "secret").write_text(ACCESS.secret + "\n")
        (tmp_path / "ca.pem").write_text(there.ca)
        asked = [
            "--endpoint", there.place.endpoint, "--bucket", there.place.bucket, "--ca", str(tmp_path / "ca.pem"),
            "--access-key", ACCESS.id, "--secret-file", str(tmp_path / "secret"),
        ]  # fmt: skip
        said = house.carepost("cold", "set", *asked, "--after-days", "0")
        assert f"go to localhost/{there.place.bucket}" in said and ACCESS.secret not in said
        house.send(TO, text=WORDS, protection={"access": {"code": CODE}})
        until(lambda: _state(house).get("kept") == 1, within=60, what="the body lies in the cold store")
        seen = opened(house, TO)
        assert WORDS in seen.frame.text
        _hangs(house, there.pid, seen)
        assert seen.visitor.get(f"{seen.path}/read").status == 200
        (row,) = json.loads(house.carepost("cold", "show", "--json"))
        assert (row["state"], row["objects"], row["fault"]) == ("active", 1, "")
        house.carepost("cold", "leave")
        until(lambda: _state(house)["kept"] + _state(house)["going"] == 0, within=60, what="everything is back")
        there.stop()
        assert seen.visitor.get(f"{seen.path}/read").status == 200
        assert ACCESS.secret not in house.logs() and "Quillfeather" not in house.logs()
        house.stop()


def _hangs(house: House, store: int, seen: Seen) -> None:
    """The store says nothing any more, as when its machine or the way to it is gone."""
    os.kill(store, signal.SIGSTOP)
    try:
        answer = seen.visitor.get(f"{seen.path}/read")
        assert answer.status == 503
        assert "kept in our long-term storage" in answer.text and "try again" in answer.text
        house.send("jane.roe@verified.test")
        house.arrived("jane.roe@verified.test")
        until(lambda: _state(house)["fault"], within=60, what="the journal says that it is away")
        told = house.carepost("doctor", "--json", code=1)
        assert any("does not answer as it should (timeout)" in one["what"] for one in json.loads(told))
    finally:
        os.kill(store, signal.SIGCONT)
    until(lambda: not _state(house)["fault"], within=90, what="it is there again")


def _state(house: House) -> dict[str, Any]:
    """As `carepost doctor` reads it."""
    file = house.path / "run" / "cold.json"
    return json.loads(file.read_text()) if file.exists() else {}
