"""A program of the clinic is told what happened to its mail: by a real home, over a receiver that fails first and a
journal that is killed; signed, in order, each event at least once, and nothing personal."""

import json
from collections import defaultdict
from pathlib import Path

import standardwebhooks

from carepost.sandbox.ca import Authority
from tests.support.house import ENGINE_ONLY, House
from tests.support.receiver import Answer, Told, receiver
from tests.support.waiting import until

PEOPLE = ("ann.first@verified.test", "ann.second@verified.test", "ann.third@bounce.test")


def test_every_event_is_told_though_the_receiver_fails_and_the_journal_is_killed(tmp_path: Path) -> None:
    with receiver(tmp_path) as there:
        house = House(tmp_path, *ENGINE_ONLY, "journal")
        # the home's own world and the receiver's authority, as an administrator adds one
        both = tmp_path / "both.pem"
        both.write_text(Path(there.ca).read_text() + Authority(house.path / "sandbox" / "tls").ca_file.read_text())
        house.environ["CAREPOST_OUTBOUND_CA"] = str(both)
        refusing = [True]

        def answer(_: Told) -> Answer:
            return (503, {}, b"") if refusing[0] else (204, {}, b"")

        there.asked = answer
        with house:
            made = json.loads(
                house.carepost("webhook", "add", there.url, "--event", "delivery.*", "--org", "demo", "--json")
            )
            sent = {house.send(to)["id"]: to for to in PEOPLE[:2]}
            until(lambda: there.told, within=120, what="the receiver was asked")
            former = house.kill("journal")
            sent[house.send(PEOPLE[2])["id"]] = PEOPLE[2]
            house.until_again("journal", former)
            refused = len(there.told)
            refusing[0] = False

            def ends() -> set[str]:
                """Messages of which the last event came."""
                kinds = [json.loads(one.body) for one in there.told[refused:]]
                over = ("delivery.sent", "delivery.failed")
                return {one["data"]["message_id"] for one in kinds if one["type"] in over}

            until(lambda: ends() >= set(sent), within=200, what="each message's end was told")
            assert house.stop() < 10
        told = there.told[refused:]
        for one in told:
            assert standardwebhooks.Webhook(made["secret"]).verify(one.body, one.headers)
        order: dict[str, list[int]] = defaultdict(list)
        seen: set[str] = set()
        for one in told:
            body = json.loads(one.body)
            if one.headers["webhook-id"] not in seen:
                seen.add(one.headers["webhook-id"])
                order[body["data"]["message_id"]].append(body["data"]["order"]["number"])
        assert all(numbers == sorted(numbers) for numbers in order.values()), order
        every = b"".join(one.body for one in there.told)
        assert not any(word in every for word in (b"ann.first", b"verified.test", b"bounce.test", b"invented"))
        states = {json.loads(one.body)["type"] for one in told if json.loads(one.body)["data"]["message_id"] in sent}
        assert {"delivery.sent", "delivery.failed"} <= states
