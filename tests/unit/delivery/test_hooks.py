"""Calls outside: every address a name leads to is judged, at each connection, and the judged one is connected to
(BI-029, BI-090); slow and endless answers are cut (BI-091)."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from carepost.delivery import hooks, https
from carepost.delivery.https import NotHad
from carepost.delivery.resolver import Answer, Status
from carepost.ground import clock
from carepost.ground.outward import Allowed, place
from tests.support.receiver import Receiver, receiver

pytestmark = pytest.mark.fast


class Dns:
    """Answers each question with the next of its lists; the last again and again."""

    def __init__(self, *answers: tuple[str, ...], status: Status = Status.OK) -> None:
        self.answers, self.status, self.asked = list(answers), status, 0

    async def addresses(self, _name: str, *, v6: bool = False) -> Answer[str]:
        if v6:
            return Answer(Status.NODATA)
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Answer(self.status if not found else Status.OK, found)


def calls(dns: Any, allowed: Allowed, ca: str = "", timeout: float = 5.0) -> hooks.Calls:
    return hooks.Calls(lambda: dns, https.context(ca), allowed, timeout=timeout)


def addresses(dns: Dns, *, sandbox: bool = False) -> list[str]:
    allowed = Allowed(sandbox=sandbox)
    found = asyncio.run(calls(dns, allowed)._addresses(place("https://ehr.example/", allowed)))
    return [address for address, _ in found]


def test_only_public_addresses_of_a_name_are_called() -> None:
    assert addresses(Dns(("9.9.9.9", "10.0.0.1", "127.0.0.1", "169.254.169.254"))) == ["9.9.9.9"]
    with pytest.raises(NotHad) as refused:
        addresses(Dns(("10.0.0.1", "::1")))
    assert refused.value.code == "private"


def test_what_dns_does_not_say_is_said_so() -> None:
    for status, code in ((Status.NXDOMAIN, "no-address"), (Status.SERVFAIL, "dns")):
        with pytest.raises(NotHad) as refused:
            addresses(Dns((), status=status))
        assert refused.value.code == code


def test_bi_090_a_name_that_is_rebound_is_judged_again_at_the_next_connection() -> None:
    dns, allowed = Dns(("9.9.9.9",), ("10.0.0.1",)), Allowed()
    made, there = calls(dns, allowed), place("https://ehr.example/", allowed)

    async def twice() -> None:
        assert await made._addresses(there) == [("9.9.9.9", 443)]
        with pytest.raises(NotHad):
            await made._addresses(there)

    asyncio.run(twice())
    assert dns.asked == 2


def test_a_name_that_leads_to_loopback_is_refused_also_in_a_sandbox() -> None:
    with pytest.raises(NotHad):
        addresses(Dns(("127.0.0.1",)), sandbox=True)


def call(there: Receiver, made: hooks.Calls, body: bytes = b"{}") -> hooks.Ended:
    wanted = hooks.Call(place(there.url, Allowed(sandbox=True)), body, {"webhook-id": "1"})

    async def once() -> hooks.Ended:
        return await made.call(wanted, clock.monotonic())

    return asyncio.run(once())


def test_bi_091_a_receiver_that_hangs_is_cut(tmp_path: Path) -> None:
    with receiver(tmp_path) as there:
        held = threading.Event()
        there.asked = lambda _: (204, {}, b"") if held.wait(20) else None
        made = calls(None, Allowed(sandbox=True), there.ca, timeout=0.3)
        with pytest.raises(TimeoutError):
            call(there, made)
        held.set()


def test_a_head_without_an_end_is_cut(tmp_path: Path) -> None:
    with receiver(tmp_path) as there:
        there.answers = [(200, {f"X-{n}": "a" * 1_000 for n in range(60)}, b"")]
        with pytest.raises(NotHad) as refused:
            call(there, calls(None, Allowed(sandbox=True), there.ca))
        assert refused.value.code == "too-long"


def test_the_answers_status_counts_and_of_its_body_only_the_beginning(tmp_path: Path) -> None:
    with receiver(tmp_path) as there:
        there.answers = [(503, {"Retry-After": "17"}, b"busy" * 10_000)]
        ended = call(there, calls(None, Allowed(sandbox=True), there.ca))
    assert (ended.status, ended.retry_after) == (503, 17) and len(ended.body) <= hooks.BODY
    assert there.told[0].headers["webhook-id"] == "1"
