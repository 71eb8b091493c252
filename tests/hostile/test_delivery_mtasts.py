"""MTA-STS against a domain, its web server and its DNS when they lie (BI-011, BI-035, BI-036; RFC 8461)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from carepost.delivery import https
from carepost.delivery.mtasts import BACK_OFF, MAX_AGE, Mode, Policies, Sts, parse, record_id
from carepost.delivery.refresh import Refresher
from carepost.delivery.resolver import Answer, Resolver, Server, Status
from carepost.ground import clock
from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Assurance
from carepost.posture import Measured, Posture
from tests.support.mailhost import Ca, Names, Pair, PolicyHost, page, pem_file

ENFORCE = b"version: STSv1\r\nmode: enforce\r\nmx: mx.there.test\r\nmx: *.mail.there.test\r\nmax_age: 604800\r\n"
WEB = "mta-sts.there.test"
ZONE: dict[tuple[str, str], object] = {
    ("_mta-sts.there.test", "TXT"): '"v=STSv1; id=20260101"',
    (WEB, "A"): "192.0.2.80",
}
CA = Ca()


class Side:
    """A domain with a policy host; `now` is moved by hand."""

    def __init__(self, tmp_path: Path) -> None:
        self.ca_file = str(pem_file(tmp_path, CA.pem))
        self.names = Names(ZONE)
        self.answer: Callable[[str], bytes] = lambda _: page(ENFORCE)
        self.posture = Posture()
        self.leaf: Pair = CA.leaf(WEB)
        self.web: PolicyHost | None = None
        self.now = 1_800_000_000_000_000
        self.policies: Policies | None = None

    async def open(self) -> "Side":
        await self.names.__aenter__()
        self.web = await PolicyHost(self.leaf.context(), lambda request: self.answer(request)).__aenter__()
        self.fresh()
        return self

    def fresh(self) -> Policies:
        """A new process, or an expired TXT record: nothing in memory but what posture kept."""
        resolver = Resolver([Server(*self.names.address)], timeout=0.3)
        assert self.web is not None
        fetch = https.PolicyFetch(resolver, https.context(self.ca_file), dial={WEB: self.web.address})
        self.policies = Policies(resolver, self.posture, fetch)
        return self.policies

    async def find(self) -> Sts:
        assert self.policies is not None
        return await self.policies.find("there.test")

    @property
    def fetches(self) -> int:
        assert self.web is not None
        return len(self.web.asked)


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    side = Side(tmp_path)
    clock.set_source(lambda: side.now)
    yield side
    clock.set_source(None)
    await side.names.__aexit__()
    if side.web is not None:
        await side.web.__aexit__()


async def test_a_policy_is_found_fetched_once_and_kept(side: Side) -> None:
    await side.open()
    found = await side.find()
    assert found.enforced is not None and found.word == "enforce"
    assert found.enforced.mx == ("mx.there.test", "*.mail.there.test")
    await side.find()
    assert side.fetches == 1
    kept = side.posture.policy("there.test")
    assert kept is not None and kept.expires == side.now + 604_800 * 1_000_000


async def test_a_cached_policy_outlives_its_txt_record_and_its_web_server(side: Side) -> None:
    """BI-011: taking both away is what an attacker would do."""
    await side.open()
    await side.find()
    for txt in ("SERVFAIL", "DEAF", '"v=nothing"', None):
        if txt is None:
            del side.names.zone["_mta-sts.there.test", "TXT"]
        else:
            side.names.zone["_mta-sts.there.test", "TXT"] = txt
        side.fresh()
        side.now += 3_600_000_000
        assert (await side.find()).word == "enforce"


async def test_an_expired_policy_holds_no_longer(side: Side) -> None:
    await side.open()
    await side.find()
    side.now += 604_801 * 1_000_000
    side.answer = lambda _: page(b"gone", status="404 Not Found")
    side.fresh()
    found = await side.find()
    assert (found.policy, found.known) == (None, False)


async def test_a_new_id_fetches_anew_and_a_failure_keeps_the_old(side: Side) -> None:
    await side.open()
    await side.find()
    side.names.zone["_mta-sts.there.test", "TXT"] = '"v=STSv1; id=2"'
    side.answer = lambda _: page(b"", status="500 Oops")
    side.fresh()
    assert (await side.find()).word == "enforce"
    side.answer = lambda _: page(ENFORCE.replace(b"enforce", b"testing"))
    side.now += (BACK_OFF + 1) * 1_000_000
    side.fresh()
    assert (await side.find()).word == "testing"


async def test_a_failed_fetch_rests_for_five_minutes(side: Side) -> None:
    await side.open()
    side.answer = lambda _: page(b"", status="503 Busy")
    for _ in range(5):
        assert (await side.find()).word == "unknown"
    assert side.fetches == 1
    side.now += (BACK_OFF + 1) * 1_000_000
    side.answer = lambda _: page(ENFORCE)
    assert (await side.find()).word == "enforce"


async def test_a_policy_of_yesterday_is_refreshed_beside_the_mail(side: Side) -> None:
    await side.open()
    await side.find()
    side.now += 90_000 * 1_000_000
    assert (await side.find()).word == "enforce"
    for _ in range(100):
        if side.fetches == 2:
            break
        await asyncio.sleep(0.01)
    assert side.fetches == 2


async def test_a_policy_nobody_asked_for_today_is_fetched_anew_by_the_clock(side: Side, tmp_path: Path) -> None:
    """RFC 8461 10.2: or an attacker who hides it until it expires has the next message to himself. An expired one, one
    fetched today, and one of a domain nobody writes to any more are left alone; a failure leaves the old one."""
    await side.open()
    keys = PurposeKeys.ephemeral()
    side.posture = Posture.open(tmp_path, keys)
    await side.fresh().find("there.test")
    side.posture.record("there.test", Measured(tls=Assurance.VERIFIED, starttls=True))
    side.posture._keep.flush()  # type: ignore[union-attr]
    assert side.policies is not None
    refresher = Refresher(tmp_path / "posture.db", keys, side.policies)
    assert (await refresher.step(), side.fetches) == (0, 1)
    side.now += 90_000 * 1_000_000
    side.answer = lambda _: page(b"", status="503 Busy")
    assert (await refresher.step(), side.fetches) == (1, 2)
    assert (await side.find()).word == "enforce"
    side.now += (BACK_OFF + 1) * 1_000_000
    side.answer = lambda _: page(ENFORCE)
    assert (await refresher.step(), side.fetches) == (1, 3)
    kept = side.posture.policy("there.test")
    assert kept is not None and kept.fetched == side.now
    side.posture._keep.flush()  # type: ignore[union-attr]
    assert await refresher.step() == 0
    side.now += 8 * 86_400 * 1_000_000
    assert (await refresher.step(), side.fetches) == (0, 3)
    side.posture.close()


BAD_ANSWERS = {
    "redirect": page(b"", status="301 Moved", extra="Location: https://mta-sts.there.test/elsewhere\r\n"),
    "not found": page(ENFORCE, status="404 Not Found"),
    "not modified": page(ENFORCE, status="304 Not Modified"),
    "html": page(ENFORCE, kind="text/html"),
    "ten megabytes": page(ENFORCE + b"x: " + b"y" * 10_000_000 + b"\r\n"),
    "enforce without mx": page(b"version: STSv1\r\nmode: enforce\r\nmax_age: 1\r\n"),
    "another version": page(ENFORCE.replace(b"STSv1", b"STSv2")),
    "no max_age": page(b"version: STSv1\r\nmode: enforce\r\nmx: a.test\r\n"),
    "a negative max_age": page(ENFORCE.replace(b"604800", b"-1")),
    "an unknown mode": page(ENFORCE.replace(b"enforce", b"strict")),
    "a pattern of two wildcards": page(ENFORCE.replace(b"*.mail", b"*.*.mail")),
    "not utf-8": page(b"\xff\xfe" + ENFORCE),
    "cut off": page(ENFORCE).replace(b"Content-Length: ", b"Content-Length: 9"),
    "no length": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + ENFORCE,
    "not HTTP": b"220 mail.test ESMTP\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("what", BAD_ANSWERS, ids=lambda what: what)
async def test_an_answer_that_is_not_as_asked_is_no_policy(side: Side, what: str) -> None:
    """BI-035: as not fetched, and a cached policy stays."""
    await side.open()
    side.answer = lambda _: BAD_ANSWERS[what]
    found = await side.find()
    assert (found.policy, found.word) == (None, "unknown")
    assert side.fetches == 1


async def test_a_policy_in_chunks_is_read(side: Side) -> None:
    await side.open()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    side.answer = lambda _: head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(ENFORCE), ENFORCE)
    assert (await side.find()).word == "enforce"


@pytest.mark.parametrize(
    "leaf",
    [CA.leaf("there.test"), CA.leaf("*.test"), Ca("Another").leaf(WEB)],
    ids=["another name", "a wildcard of a top-level domain", "an unknown authority"],
)
async def test_a_policy_host_with_a_wrong_certificate_is_not_believed(side: Side, leaf: Pair) -> None:
    """BI-035."""
    side.leaf = leaf
    await side.open()
    assert (await side.find()).policy is None
    assert side.fetches == 0


async def test_a_policy_host_in_a_private_network_is_never_dialled(side: Side) -> None:
    """BI-090's cousin: a stranger's DNS does not choose whom we fetch from."""
    await side.open()
    side.names.zone[WEB, "A"] = "127.0.0.1"
    resolver = Resolver([Server(*side.names.address)], timeout=0.3)
    policies = Policies(resolver, side.posture, https.PolicyFetch(resolver, https.context(side.ca_file)))
    assert (await policies.find("there.test")).policy is None
    assert side.fetches == 0


async def test_two_records_are_none(side: Side) -> None:
    side.names.zone["_mta-sts.there.test", "TXT"] = ['"v=STSv1; id=1"', '"v=STSv1; id=2"']
    await side.open()
    found = await side.find()
    assert (found.policy, found.known, side.fetches) == (None, True, 0)


@pytest.mark.parametrize(
    ("record", "identity"),
    [
        (b"v=STSv1; id=20260101", "20260101"),
        (b"v=STSv1;id=a1;", "a1"),
        (b"v=STSv1; foo=bar; id=a1; bar=foo", "a1"),
        (b"v=STSv1", None),
        (b"v=STSv1; id=", None),
        (b"v=STSv1; id=with-dash", None),
        (b"v=STSv1; id=" + b"a" * 33, None),
        (b"v=STSv11; id=a", None),
    ],
)
def test_the_record_is_read_strictly(record: bytes, identity: str | None) -> None:
    assert record_id(Answer(Status.OK, (record,))) == identity


def test_of_a_repeated_key_the_first_counts_and_line_ends_may_be_mixed() -> None:
    """BI-035."""
    policy = parse(b"version: STSv1\nmode: enforce\r\nmode: none\nmx: MX.There.test\r\nmax_age: 86400\nmax_age: 1\n")
    assert (policy.mode, policy.mx, policy.max_age) == (Mode.ENFORCE, ("mx.there.test",), 86_400)


def test_a_life_beyond_a_year_is_cut_to_it() -> None:
    assert parse(ENFORCE.replace(b"604800", b"9999999999")).max_age == MAX_AGE


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("mx.there.test", True),
        ("MX.There.Test.", True),
        ("a.mail.there.test", True),
        ("a.b.mail.there.test", False),
        ("mail.there.test", False),
        ("other.test", False),
    ],
)
def test_a_wildcard_stands_for_one_label(host: str, allowed: bool) -> None:
    """BI-036."""
    assert parse(ENFORCE).allows(host) is allowed


@pytest.mark.parametrize("how", ["silent", "dribbling"])
async def test_a_slow_policy_server_is_given_its_time_and_no_more(side: Side, how: str) -> None:
    """RFC 8461 3.3: a limit for the whole exchange, not for each octet of it."""
    await side.open()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for octet in page(ENFORCE) if how == "dribbling" else ():
                writer.write(bytes([octet]))
                await writer.drain()
                await asyncio.sleep(0.05)
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(slow, "127.0.0.1", 0, ssl=side.leaf.context())
    address, port = server.sockets[0].getsockname()[:2]
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        await https.get(
            WEB, "/.well-known/mta-sts.txt", address=address, port=port, tls=https.context(side.ca_file),
            limit=65_536, seconds=0.4,
        )  # fmt: skip
    assert loop.time() - began < 3
    server.close()


async def test_mail_of_many_waits_for_one_fetch_and_a_broken_policy_does_not_hold_it_up(side: Side) -> None:
    await side.open()
    side.answer = lambda _: page(b"version: STSv1\r\nmode: enforce\r\n")
    found = await asyncio.gather(*(side.find() for _ in range(50)))
    assert {(one.policy, one.fault) for one in found} == {(None, "sts-policy-invalid")}
    assert side.fetches == 1


@pytest.mark.parametrize(
    ("answer", "leaf", "fault"),
    [
        (page(b"", status="500 Oops"), None, "sts-policy-fetch-error"),
        (page(b"", status="302 Found", extra="Location: https://x.test/\r\n"), None, "sts-policy-fetch-error"),
        (page(ENFORCE, kind="text/html"), None, "sts-policy-fetch-error"),
        (page(b"version: STSv1\r\nmode: enforce\r\nmax_age: 1\r\n"), None, "sts-policy-invalid"),
        (page(ENFORCE), CA.leaf("other.test"), "sts-webpki-invalid"),
        (page(ENFORCE), Ca("Another").leaf(WEB), "sts-webpki-invalid"),
    ],
)
async def test_why_it_was_not_had_is_kept_for_the_report(
    side: Side, answer: bytes, leaf: Pair | None, fault: str
) -> None:
    """RFC 8460 4.3.2.2; once it is had, nothing is amiss any more."""
    side.leaf = leaf or side.leaf
    side.answer = lambda _: answer
    await side.open()
    assert (await side.find()).fault == fault
    if leaf is None:
        side.now += (BACK_OFF + 1) * 1_000_000
        side.answer = lambda _: page(ENFORCE)
        assert (await side.find()).fault == ""
