"""The other side changes: each change is on record once, weaker ones are alerts, and what was promised holds meanwhile.

Real mail hosts, DNS and policy hosts; what the engine wrote is read as the journal reads it."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest

from carepost.destinations import changes, words
from carepost.destinations.changes import Found
from carepost.ground import clock
from carepost.policy.types import Assurance
from carepost.posture import Reader, Record
from carepost.posture.types import Day
from tests.support.delivering import WILLOW, Delivering, side
from tests.support.mailhost import Ca, MailHost, Pair, PolicyHost, make, page

DAY = timedelta(days=1)
HOST = "mx.there.test"
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx.there.test\r\nmax_age: 604800\r\n"


def tlsa(*pairs: Pair) -> object:
    return [f"3 1 1 {hashlib.sha256(pair.spki).hexdigest()}" for pair in pairs]


class Following:
    """Reads what is new as the journal does; `changed` says what that was."""

    def __init__(self, willow: Delivering) -> None:
        self._willow = willow
        self._reader = Reader(willow.folder / "posture.db", willow.keys)
        self._after = 0
        self.known: Record | None = None
        self.days: list[Day] = []

    def changed(self) -> list[Found]:
        keep = self._willow.posture._keep
        assert keep is not None
        self._willow.posture._tallies.flush()
        keep.flush()  # type: ignore[attr-defined]
        records, self.days, self._after = self._reader.news(self._after)
        found: list[Found] = []
        for record in records:
            found += changes.between(self.known, record, clock.now())
            self.known = record
        return found

    def results(self) -> dict[str, int]:
        """Failed sessions of the day by type."""
        return {failure.result: times for day in self.days for count in day.counts for failure, times in count.failed}


def kinds(found: list[Found], *, weaker: bool = False) -> list[str]:
    assert all(words.sentence(one.kind, one.host, one.old, one.new) for one in found)
    return [one.kind for one in found if one.weaker or not weaker]


async def anew(willow: Delivering) -> None:
    """What was looked up is old, and no connection is left."""
    willow.finder._known.clear()
    willow.resolver._cache.clear()
    for pool in willow.courier._pools.values():
        for connection in list(pool.idle):
            pool.drop(connection)
            connection.abort("lost")


async def test_a_domain_that_loses_tls_is_told_once_and_its_mail_takes_another_way(ca: Ca) -> None:
    host = MailHost(ca.leaf(HOST).context())
    async with Delivering({HOST: host}, side("there.test"), ca) as willow:
        follow = Following(willow)
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
        assert kinds(follow.changed()) == ["first"]
        assert follow.days[0].org == WILLOW and follow.days[0].counts[0].good == 1
        host.tls = None
        await anew(willow)
        for _ in range(3):
            view = await willow.ended(await willow.submit("jane.roe@there.test"))
            assert view.state in ("held", "deposited")
        found = follow.changed()
        assert sorted(kinds(found, weaker=True)) == ["assurance", "tls-lost"]
        assert follow.results()["starttls-not-supported"] >= 1
        assert len(host.messages) == 1


async def test_a_certificate_renewed_with_its_key_then_with_another(ca: Ca) -> None:
    """Both are told, neither is an alert; its end is what is warned of."""
    host = MailHost(ca.leaf(HOST, life=20 * DAY).context())
    async with Delivering({HOST: host}, side("there.test"), ca) as willow:
        follow = Following(willow)
        await willow.ended(await willow.submit("jane.roe@there.test"))
        follow.changed()
        assert follow.known is not None
        ends = changes.ends_at(follow.known)
        assert 18 * 86_400_000_000 < ends - clock.now() < 20 * 86_400_000_000
        host.tls = ca.leaf(HOST, life=89 * DAY).context()
        await anew(willow)
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state == "sent"
        found = follow.changed()
        assert (kinds(found), kinds(found, weaker=True)) == (["key"], [])
        assert changes.ends_at(follow.known) > ends


async def test_a_policy_changes_its_id_and_one_that_is_down_holds_on(ca: Ca) -> None:
    """RFC 8461 5.1: with the policy host down the cached policy counts, and its fault is in the report (BI-011)."""
    answer: list[Callable[[], bytes]] = [lambda: page(POLICY)]
    zone = side("there.test") | {
        ("_mta-sts.there.test", "TXT"): '"v=STSv1; id=1"', ("mta-sts.there.test", "A"): "8.8.8.8",
    }  # fmt: skip
    host = MailHost(ca.leaf(HOST).context())
    async with PolicyHost(ca.leaf("mta-sts.there.test").context(), lambda _: answer[0]()) as web:
        dial = {"mta-sts.there.test": web.address}
        async with Delivering({HOST: host}, zone, ca, dial=dial) as willow:
            follow = Following(willow)
            view = await willow.ended(await willow.submit("jane.roe@there.test"))
            assert view.assurance == "AUTHENTICATED"
            assert kinds(follow.changed())[:1] == ["first"]
            willow.names.zone["_mta-sts.there.test", "TXT"] = '"v=STSv1; id=2"'
            await anew(willow)
            await willow.ended(await willow.submit("jane.roe@there.test"))
            (found,) = follow.changed()
            assert (found.kind, found.old, found.new, found.weaker) == ("policy", "1", "2", False)
            willow.names.zone["_mta-sts.there.test", "TXT"] = '"v=STSv1; id=3"'
            answer[0] = lambda: page(b"", status="503 Busy")
            await anew(willow)
            view = await willow.ended(await willow.submit("jane.roe@there.test"))
            assert view.assurance == "AUTHENTICATED"
            assert kinds(follow.changed()) == []
            assert follow.results() == {"sts-policy-fetch-error": 1}
            # and from enforce to none is weaker, and said so
            answer[0] = lambda: page(POLICY.replace(b"enforce", b"none"))
            willow.names.zone["_mta-sts.there.test", "TXT"] = '"v=STSv1; id=4"'
            willow.world.finder._policies._resting.clear()  # type: ignore[attr-defined]
            await anew(willow)
            await willow.ended(await willow.submit("jane.roe@there.test"))
            assert sorted(kinds(follow.changed(), weaker=True)) == ["assurance", "mta-sts"]


async def test_a_tlsa_set_is_rolled_as_it_should_be_and_then_as_it_should_not(ca: Ca) -> None:
    """Next key published first, then shown: never weaker. A key nobody published: barred, and an alert."""
    old, new = make(HOST, (HOST,)), make(HOST, (HOST,))
    host = MailHost(old.context())
    zone = side("there.test") | {(f"_25._tcp.{HOST}", "TLSA"): tlsa(old)}
    async with Delivering({HOST: host}, zone, ca, signed=("there.test",)) as willow:
        follow = Following(willow)
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).assurance == "AUTHENTICATED"
        follow.changed()
        willow.names.zone[f"_25._tcp.{HOST}", "TLSA"] = tlsa(old, new)
        await anew(willow)
        await willow.ended(await willow.submit("jane.roe@there.test"))
        host.tls = new.context()
        await anew(willow)
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).assurance == "AUTHENTICATED"
        found = follow.changed()
        assert set(kinds(found)) <= {"tlsa", "key"} and "key" in kinds(found)
        assert kinds(found, weaker=True) == []
        host.tls = make(HOST, (HOST,)).context()
        await anew(willow)
        assert (await willow.ended(await willow.submit("jane.roe@there.test"))).state != "sent"
        assert "assurance" in kinds(follow.changed(), weaker=True)
        assert follow.results() == {"tlsa-invalid": 1}
        assert len(host.messages) == 3


@pytest.mark.parametrize("times", [1, 20])
async def test_many_messages_on_one_connection_are_one_session_and_no_more_writes(ca: Ca, times: int) -> None:
    """Counting costs nothing where a connection is used again."""
    host = MailHost(ca.leaf(HOST).context())
    async with Delivering({HOST: host}, side("there.test"), ca) as willow:
        follow = Following(willow)
        for _ in range(times):
            await willow.ended(await willow.submit("jane.roe@there.test"))
        follow.changed()
        assert [count.good for day in follow.days for count in day.counts] == [1]
        assert follow.known is not None
        assert [(s.host, s.tls, s.assurance) for s in follow.known.sides] == [(HOST, "TLSv1.3", Assurance.VERIFIED)]
        assert follow._reader.news(follow._after)[:2] == ([], [])
