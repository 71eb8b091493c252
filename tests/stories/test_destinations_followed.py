"""The whole house: what the engines met stands in the office within seconds, and a side that loses TLS is an event."""

import json
from pathlib import Path

from tests.support.house import House
from tests.support.waiting import until


def test_the_office_knows_where_mail_went_and_what_became_weaker(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        for domain in ("verified.test", "dane.test", "lapsed.test"):
            house.send(f"jane.roe@{domain}")

        def listed() -> dict[str, dict[str, object]]:
            found = json.loads(house.carepost("destination", "list", "--json"))
            return {row["domain"]: row for row in found}

        def all_met() -> bool:
            found = listed()
            return found.keys() >= {"verified.test", "lapsed.test"} and (
                found.get("dane.test", {}).get("met_as") == "Authenticated"
            )

        until(all_met, within=40, what="all are met")
        shown = json.loads(house.carepost("destination", "show", "dane.test", "--json"))
        [host] = shown["hosts"]
        assert (host["host"], host["assurance"], len(host["key"])) == ("mx.dane.test", "AUTHENTICATED", 64)
        assert shown["changes"][-1]["what"] == "First met"
        # TLS at its first session, then none; what was seen outlives the engines, their connections do not
        for engine in range(sum(role == "engine" for _, role, _ in house.children())):
            house.until_again("engine", house.kill("engine", engine), engine)
        until(house.every_shard_answers, within=30, what="the engines are back")
        house.send("john.doe@lapsed.test")
        until(lambda: listed()["lapsed.test"]["alerts"] == 1, within=40, what="the loss is an alert")
        assert listed()["lapsed.test"]["met_as"] == "Lost encryption"
        # the domains' names stand nowhere in clear beside the office's own encrypted tables
        for shard in (tmp_path / "home").rglob("posture.db*"):
            assert b"lapsed.test" not in shard.read_bytes()
