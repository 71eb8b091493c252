"""SMIMEA, OPENPGPKEY and Web Key Directories as strangers fill them; and asking once, within a time."""

import asyncio
import ssl
from typing import Any

import pytest

from carepost.crypto.openpgp import dane, keys, wkd
from carepost.crypto.smime import identity, smimea
from carepost.crypto.smime.chain import TrustStore
from carepost.delivery.discovery.fetch import KeyFetch
from carepost.delivery.discovery.seeker import Seeker
from carepost.delivery.discovery.sources import Looked, Sources
from carepost.delivery.resolver import Resolver, Server
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.intake.anchors import Anchors
from carepost.intake.keys import NONE, Held
from carepost.policy.types import Method, Ternary
from carepost.queue.types import EventDraft
from carepost.wire.found import SOURCES
from tests.rooms.delivery.test_revocation_asked import snapshot
from tests.support.mailhost import Ca, Names
from tests.support.smime import Authority

BO = "bo@keys.test"
DAY = 86_400_000_000
NOBODY = TrustStore()


def certificate(address: str = BO, *, days: int = 300) -> bytes:
    made = identity.self_signed(identity.generate("ec-p256"), address, clock.now() - 2 * DAY, days=days)
    return made.certificate.der


def openpgp(*addresses: str) -> bytes:
    return keys.generate([("Bo", one) for one in addresses]).certificate.raw


class World:
    def __init__(self, zone: dict[tuple[str, str], object], *, signed: bool = True, dial: Any = None) -> None:
        self.names = Names(zone, ("keys.test",) if signed else ())
        self._dial = dial or {}
        self.tls = ssl.create_default_context()

    async def __aenter__(self) -> Sources:
        await self.names.__aenter__()
        resolver = Resolver([Server(*self.names.address, trusted=True)], timeout=0.3)
        return Sources(resolver, KeyFetch(resolver, self.tls, dial=self._dial, seconds=2.0))

    async def __aexit__(self, *_: object) -> None:
        await self.names.__aexit__()


def at_smimea(*records: str) -> dict[tuple[str, str], object]:
    return {(smimea.owner(BO), "SMIMEA"): list(records)}


def at_openpgpkey(raw: bytes) -> dict[tuple[str, str], object]:
    return {(dane.owner(BO), "OPENPGPKEY"): f"\\# {len(raw)} {raw.hex()}"}


async def test_a_certificate_in_signed_dns_needs_no_issuer() -> None:
    der = certificate()
    async with World(at_smimea(f"3 0 0 {der.hex()}")) as sources:
        looked = await sources.look(BO, Method.SMIME, SOURCES, NOBODY)
        assert looked.found is not None and looked.found.raw == der and looked.found.vouched
        assert await sources.look(BO, Method.SMIME, ("wkd",), NOBODY) == Looked(), "a source that is off is not asked"


async def test_usage_1_needs_an_authority_of_the_organisation() -> None:
    now = clock.now()
    authority = Authority("Invented CA", start=now - 9 * DAY, end=now + 900 * DAY)
    one = authority.issue("ec-p256", BO, start=now - DAY, end=now + 99 * DAY)
    async with World(at_smimea(f"1 0 0 {one.certificate.der.hex()}")) as sources:
        assert (await sources.look(BO, Method.SMIME, SOURCES, NOBODY)).why == ("smimea:unknown-issuer",)
        looked = await sources.look(BO, Method.SMIME, SOURCES, TrustStore([authority.der]))
        assert looked.found is not None and not looked.found.vouched


@pytest.mark.parametrize("case", ["unsigned", "bogus", "servfail", "other", "expired", "digest", "garbage"])
async def test_bi_071_what_proves_nothing_is_not_taken(case: str) -> None:
    """RFC 8162: without DNSSEC an answer is none; one that could not be had is not an answer that there is none."""
    der = {"other": certificate("eve@keys.test"), "expired": certificate(days=1)}.get(case) or certificate()
    zone = at_smimea(f"3 0 0 {der.hex()}")
    if case in ("bogus", "servfail"):
        zone = {(smimea.owner(BO), "SMIMEA"): case.upper()}
    elif case == "digest":
        zone = at_smimea("3 0 1 " + "ab" * 32)
    elif case == "garbage":
        zone = at_smimea("3 0 0 " + "30820102" * 40)
    async with World(zone, signed=case != "unsigned") as sources:
        looked = await sources.look(BO, Method.SMIME, SOURCES, NOBODY)
    assert looked.found is None
    assert looked.sure is (case not in ("bogus", "servfail"))


async def test_bi_070_foreign_names_are_taken_out_and_floods_refused() -> None:
    both = openpgp(BO, "eve@elsewhere.test")
    async with World(at_openpgpkey(both)) as sources:
        looked = await sources.look(BO, Method.OPENPGP, ("openpgpkey",), NOBODY)
        assert looked.found is not None and b"eve@elsewhere.test" not in looked.found.raw
    for raw in (openpgp("eve@elsewhere.test"), b"\x99" * 3000):
        async with World(at_openpgpkey(raw)) as sources:
            assert (await sources.look(BO, Method.OPENPGP, ("openpgpkey",), NOBODY)).found is None
    async with World(at_openpgpkey(both), signed=False) as sources:
        assert (await sources.look(BO, Method.OPENPGP, ("openpgpkey",), NOBODY)).found is None


class Directory:
    """TLS pages of a Web Key Directory: (host, path) -> (status, body), or where it moved."""

    def __init__(self, ca: Ca, pages: dict[tuple[str, str], tuple[int, bytes] | str]) -> None:
        self.ca, self.pages, self.asked = ca, pages, list[tuple[str, str]]()
        self._tls = ca.leaf("openpgpkey.keys.test", "keys.test", "elsewhere.test").context()

    async def __aenter__(self) -> tuple[str, int]:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return "127.0.0.1", self._server.sockets[0].getsockname()[1]

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        host = next(line[6:] for line in head.split("\r\n") if line.startswith("Host: "))
        path = head.split(" ")[1].partition("?")[0]
        self.asked.append((host, path))
        page = self.pages.get((host, path), (404, b""))
        status, body = page if isinstance(page, tuple) else (302, b"")
        more = f"Location: {page}\r\n" if isinstance(page, str) else ""
        writer.write(f"HTTP/1.1 {status} x\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@pytest.mark.parametrize("place", ["advanced", "direct", "none", "foreign", "huge", "private"])
async def test_a_web_key_directory(place: str) -> None:
    """Advanced first; direct only where the advanced host does not exist (draft-koch 3.1); BI-029, BI-070."""
    ca = Ca()
    advanced, direct = (url.removeprefix("https://").partition("?")[0] for url in wkd.urls(BO))
    where = direct if place == "direct" else advanced
    host, _, path = where.partition("/")
    body = {"foreign": openpgp("eve@elsewhere.test"), "huge": b"x" * (wkd.MAX_ANSWER + 1)}.get(place) or openpgp(BO)
    pages: dict[tuple[str, str], tuple[int, bytes] | str] = {}
    if place != "none":
        pages[host, f"/{path}"] = (200, body)
    zone: dict[tuple[str, str], object] = {(host, "A"): "10.0.0.9" if place == "private" else "8.8.8.8"}
    served = Directory(ca, pages)
    async with served as address:
        world = World(zone, dial={} if place == "private" else {host: address})
        world.tls = ssl.create_default_context(cadata=ca.pem)
        async with world as sources:
            looked = await sources.look(BO, Method.OPENPGP, ("wkd",), NOBODY)
    assert (looked.found is not None) is (place in ("advanced", "direct"))
    if place == "private":
        assert not served.asked and looked.why == ("wkd:private",)


ADVANCED, DIRECT = (url.removeprefix("https://").partition("?")[0] for url in wkd.urls(BO))
HERE, THERE = ((where.partition("/")[0], "/" + where.partition("/")[2]) for where in (ADVANCED, DIRECT))


async def test_where_the_advanced_host_answers_the_direct_one_is_not_asked() -> None:
    """Draft-koch 3.1: it may belong to somebody else than who runs the directory."""
    served = Directory(Ca(), {THERE: (200, openpgp(BO))})
    async with served as address:
        world = World(
            {(host, "A"): "8.8.8.8" for host in (HERE[0], THERE[0])}, dial={HERE[0]: address, THERE[0]: address}
        )
        world.tls = ssl.create_default_context(cadata=served.ca.pem)
        async with world as sources:
            looked = await sources.look(BO, Method.OPENPGP, ("wkd",), NOBODY)
    assert looked.found is None and served.asked == [HERE]


@pytest.mark.parametrize(
    ("leads", "why"),
    [
        (("https://" + DIRECT,), ""),
        (("/keys/of/bo",), ""),
        (("/1", "/2", "/keys/of/bo"), ""),
        (("/1", "/2", "/3", "/keys/of/bo"), "wkd:moved"),
        (("https://elsewhere.test/bo",), "wkd:moved"),
        (("https://sub.keys.test/bo",), "wkd:moved"),
        (("https://openpgpkey.keys.test.elsewhere.test/bo",), "wkd:moved"),
        (("https://keys.test@elsewhere.test/bo",), "wkd:moved"),
        (("https://keys.test:8443/bo",), "wkd:moved"),
        (("http://" + DIRECT,), "wkd:moved"),
        (("https://127.0.0.1/bo",), "wkd:moved"),
        (("https://[::1",), "wkd:moved"),
        (("ftp://keys.test/bo",), "wkd:moved"),
    ],
    ids=["the-domain", "same-host", "three", "four", "other-domain", "other-subdomain", "suffix", "userinfo", "port",
         "plain-http", "literal", "broken", "scheme"],
)  # fmt: skip
async def test_bi_029_a_redirect_stays_with_the_domain_that_was_asked(leads: tuple[str, ...], why: str) -> None:
    pages: dict[tuple[str, str], tuple[int, bytes] | str] = {}
    at = HERE
    for lead in leads:
        pages[at] = lead
        at = (HERE[0], lead)
    key = (200, openpgp(BO))
    pages |= {THERE: key, (HERE[0], "/keys/of/bo"): key, ("elsewhere.test", "/bo"): key, ("keys.test", "/bo"): key}
    served = Directory(Ca(), pages)
    hosts = ("openpgpkey.keys.test", "keys.test", "elsewhere.test")
    async with served as address:
        world = World({(host, "A"): "8.8.8.8" for host in hosts}, dial=dict.fromkeys(hosts, address))
        world.tls = ssl.create_default_context(cadata=served.ca.pem)
        async with world as sources:
            looked = await sources.look(BO, Method.OPENPGP, ("wkd",), NOBODY)
    assert (looked.found is not None) is (why == "") and looked.why == ((why,) if why else ())
    assert {host for host, _ in served.asked} <= {"openpgpkey.keys.test", "keys.test"}
    assert looked.sure


async def test_bi_029_a_redirect_into_a_private_network_is_not_dialled() -> None:
    served = Directory(Ca(), {HERE: "https://" + DIRECT, THERE: (200, openpgp(BO))})
    zone: dict[tuple[str, str], object] = {(HERE[0], "A"): "8.8.8.8", (THERE[0], "A"): "10.0.0.9"}
    async with served as address:
        world = World(zone, dial={HERE[0]: address})
        world.tls = ssl.create_default_context(cadata=served.ca.pem)
        async with world as sources:
            looked = await sources.look(BO, Method.OPENPGP, ("wkd",), NOBODY)
    assert looked.found is None and looked.why == ("wkd:private",) and served.asked == [HERE]


class Slow:
    """Sources that answer when told, and count."""

    def __init__(self, found: Looked) -> None:
        self.found, self.asked, self.go = found, 0, asyncio.Event()

    async def look(self, address: str, method: Method, sources: Any, store: TrustStore) -> Looked:
        self.asked += 1
        await self.go.wait()
        return self.found


class Office:
    """Directory, keys and writer in one: what is noted is known a moment later."""

    number = 0

    def __init__(self, given: OrgSnapshot) -> None:
        self.given, self.noted, self.takes, self.looks = given, list[EventDraft](), True, 0

    def snapshot(self, org: bytes) -> OrgSnapshot:
        return self.given

    def look(self, known: OrgSnapshot, address: str) -> Held:
        self.looks += 1
        return Held(smime=Ternary.YES) if self.noted and self.takes else NONE

    async def note(self, org: bytes, event: EventDraft) -> None:
        self.noted.append(event)


async def seeking(found: Looked, **times: float) -> tuple[Slow, Office, Seeker]:
    slow, office = Slow(found), Office(snapshot(Authority()))
    seeker = Seeker(slow, Anchors(), office, office, lambda: office, **times)  # type: ignore[arg-type]  # stand-ins of its protocols
    return slow, office, seeker


async def test_many_deliveries_ask_once_and_all_wait_for_the_keyring() -> None:
    async with World(at_smimea(f"3 0 0 {certificate().hex()}")) as sources:
        looked = await sources.look(BO, Method.SMIME, SOURCES, NOBODY)
    slow, office, seeker = await seeking(looked)
    waiting = [asyncio.ensure_future(seeker.look(office.given, BO, (Method.SMIME,))) for _ in range(20)]
    await asyncio.sleep(0)
    slow.go.set()
    assert await asyncio.gather(*waiting) == [True] * 20
    assert slow.asked == 1 and len(office.noted) == 1
    assert await seeker.look(office.given, BO, (Method.SMIME,)) and slow.asked == 1
    await seeker.close()


async def test_who_does_not_answer_in_time_is_not_waited_for_and_may_answer_later() -> None:
    slow, office, seeker = await seeking(Looked(), asked=0.05, kept=0.05)
    assert await seeker.look(office.given, BO, (Method.SMIME,)) is False
    slow.go.set()
    assert await seeker.look(office.given, BO, (Method.SMIME,)) is False
    assert slow.asked == 1, "the answer that there is none is remembered"
    await seeker.close()


async def test_what_the_keyring_does_not_take_is_waited_for_once() -> None:
    async with World(at_smimea(f"3 0 0 {certificate().hex()}")) as sources:
        looked = await sources.look(BO, Method.SMIME, SOURCES, NOBODY)
    slow, office, seeker = await seeking(looked, kept=0.2)
    slow.go.set()
    office.takes = False
    assert await seeker.look(office.given, BO, (Method.SMIME,)) is False
    looks = office.looks
    assert looks > 1
    assert await seeker.look(office.given, BO, (Method.SMIME,)) is False
    assert slow.asked == 1 and office.looks == looks, "nobody waits for it again"
    await seeker.close()
