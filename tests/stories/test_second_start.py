"""What was accepted and not yet delivered goes on at the next start, however the last one ended."""

from pathlib import Path

import pytest

from carepost.ground import ids
from tests.support.house import ENGINE_ONLY, House
from tests.support.waiting import until


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_a_second_start_resumes_what_was_queued(tmp_path: Path, killed: bool) -> None:
    with House(tmp_path, *ENGINE_ONLY) as house:
        # asks to come back, is full, and one that is sent at once
        waiting = [house.send(f"p{n}@full.test")["id"] for n in range(5)]
        came = house.send("jane.roe@greylist.test")["id"]
        done = house.send("jane.roe@verified.test")["id"]
        org, client = ids.parse(house.made.org), house.client()

        def state(message: str) -> str:
            return client.lookup(org, ids.parse(message)).deliveries[0].state

        until(lambda: state(done) == "sent", within=20, what="one is sent and on record")
        until(lambda: house.counters()["full.test"].recipients_refused >= 5, within=20, what="the full mailbox answers")
        if killed:
            house.kill_all()
        else:
            house.stop()
        house.start()
        # the world's mail was in memory only: what comes now was sent by this start
        house.arrived("jane.roe@greylist.test")
        until(lambda: house.counters()["full.test"].recipients_refused >= 5, within=30, what="they are tried again")
        until(lambda: state(came) == "sent", within=10, what="it is on record")
        for message in waiting:
            [delivery] = client.lookup(org, ids.parse(message)).deliveries
            assert delivery.state in ("deferred", "claimed") and len(delivery.attempts) >= 1
        [delivery] = client.lookup(org, ids.parse(done)).deliveries
        assert (delivery.state, len(delivery.attempts)) == ("sent", 1)
        assert house.mails("jane.roe@verified.test") == []
        client.close()
