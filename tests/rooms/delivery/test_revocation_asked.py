"""OCSP and revocation lists, fetched over real HTTP from real responders; and what a stranger's URL must not reach."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from carepost.crypto.smime import usable
from carepost.crypto.smime.identity import Identity
from carepost.delivery import https
from carepost.delivery.discovery.evidence import Collector
from carepost.delivery.discovery.fetch import KeyFetch
from carepost.delivery.resolver import Resolver, Server
from carepost.directory.types import KeptKey, OrgSnapshot
from carepost.ground import clock
from carepost.intake.anchors import Anchors
from carepost.policy.types import Assurance
from tests.support.mailhost import Names
from tests.support.revoking import Responder, Web
from tests.support.smime import ADDRESS, Authority

DAY = 86_400_000_000
OCSP, LIST = "http://ocsp.ca.test/", "http://crl.ca.test/list.crl"
ZONE: dict[tuple[str, str], object] = {
    ("ocsp.ca.test", "A"): "8.8.8.8", ("crl.ca.test", "A"): "8.8.8.8", ("inside.ca.test", "A"): "10.0.0.7",
    ("loop.ca.test", "A"): "127.0.0.1", ("meta.ca.test", "A"): "169.254.169.254",
    ("six.ca.test", "AAAA"): "::ffff:10.0.0.7",
}  # fmt: skip


@pytest.fixture(scope="module")
def authority() -> Authority:
    now = clock.now()
    return Authority("Invented Partner CA", start=now - 300 * DAY, end=now + 900 * DAY)


def person(authority: Authority, **more: Any) -> Identity:
    now = clock.now()
    return authority.issue(start=now - DAY, end=now + 300 * DAY, **more)


def snapshot(authority: Authority, *, unknown_ok: bool = False) -> OrgSnapshot:
    return OrgSnapshot(
        id=b"willow-clinic-00", name="Willow", epoch=1, policy_version="v1", notice_name="Willow", phone="",
        auditor="", portal_url="", portal_address="", floor=Assurance.VERIFIED, patience=1, rules=(), domains=(),
        routes=(), keys={}, anchors=(authority.der,), revocation_unknown_ok=unknown_ok,
    )  # fmt: skip


class Asking:
    """A collector with DNS of the test and a dial table to its servers."""

    def __init__(self, dial: dict[str, tuple[str, int]], *, seconds: float = 5.0) -> None:
        self.names = Names(ZONE)
        self._dial, self._seconds = dial, seconds

    async def __aenter__(self) -> "Asking":
        await self.names.__aenter__()
        resolver = Resolver([Server(*self.names.address, trusted=True)], timeout=0.5)
        self.fetch = KeyFetch(resolver, https.context(), dial=self._dial, seconds=self._seconds)
        self.collector = Collector(self.fetch, Anchors(), seconds=self._seconds)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.collector.close()
        await self.names.__aexit__()

    async def judged(self, one: Identity, known: OrgSnapshot) -> usable.Usability:
        kept = KeptKey(ADDRESS, one.certificate.der, one.certificate.fingerprint, one.chain)
        trust = await self.collector.trust(known, kept)
        assert await self.collector.trust(known, kept) is trust, "the same value: nobody judges twice"
        return usable.for_encryption(one.certificate, ADDRESS, clock.now(), trust, one.chain)


@pytest.mark.parametrize(("revoked", "word"), [(False, "good"), (True, "revoked")])
async def test_an_ocsp_responder_is_asked_once_and_believed(
    authority: Authority, tmp_path: Path, revoked: bool, word: str
) -> None:
    """Peer: `openssl ocsp`."""
    one = person(authority, ocsp_urls=[OCSP])
    serial = one.certificate.x509.serial_number
    good, bad = ([], [serial]) if revoked else ([serial], [])
    with Responder(tmp_path, authority, good, bad) as responder:
        async with Asking({"ocsp.ca.test": ("127.0.0.1", responder.port)}) as asking:
            found = await asking.judged(one, snapshot(authority))
    assert (found.revocation, found.usable) == (word, not revoked)
    assert ("revoked" in found.reasons) is revoked


async def test_a_list_is_fetched_once_until_it_ends(authority: Authority) -> None:
    one, other = (person(authority, crl_urls=[LIST], number=n) for n in (0, 1))
    now = clock.now()
    raw = authority.crl(other, start=now - DAY, end=now + DAY)
    async with Web({"/list.crl": (200, raw)}) as web, Asking({"crl.ca.test": web.address}) as asking:
        known = snapshot(authority)
        assert (await asking.judged(one, known)).revocation == "good"
        assert "revoked" in (await asking.judged(other, known)).reasons
        assert web.asked == ["/list.crl"]
        clock.set_source(lambda: now + DAY + 1_000_000)
        try:
            found = await asking.judged(one, known)
        finally:
            clock.set_source(None)
        assert web.asked == ["/list.crl"] * 2, "asked anew when the list has ended"
        assert found.revocation == "unknown" or found.usable, "a list that has ended is no longer 'good'"


@pytest.mark.parametrize(("unknown_ok", "usable_"), [(False, False), (True, True)])
async def test_where_nobody_answers_the_organisations_rule_decides(
    authority: Authority, unknown_ok: bool, usable_: bool
) -> None:
    """Unknown is never good; by default such a certificate is not used (BI-071)."""
    one = person(authority, ocsp_urls=[OCSP], crl_urls=[LIST])
    async with Web({}) as web, Asking({"crl.ca.test": web.address, "ocsp.ca.test": web.address}) as asking:
        found = await asking.judged(one, snapshot(authority, unknown_ok=unknown_ok))
        assert (found.revocation, found.usable) == ("unknown", usable_)
        assert sorted(web.asked) == ["/", "/list.crl"]
        await asking.judged(one, snapshot(authority, unknown_ok=unknown_ok))
        assert len(web.asked) == 2, "who did not answer is left alone for a while"


@pytest.mark.parametrize("answer", ["other-issuer", "garbage", "too-large", "moved", "cut"])
async def test_what_is_no_answer_is_unknown(authority: Authority, answer: str) -> None:
    now = clock.now()
    one = person(authority, crl_urls=[LIST])
    pages: dict[str, Any] = {
        "other-issuer": (200, Authority("Another CA").crl(start=now - DAY, end=now + DAY)),
        "garbage": (200, b"\x30\x82\xff\xff" + b"x" * 1000),
        "too-large": (200, b"x" * (8 * 1024 * 1024 + 1)),
        "moved": (302, b"", "Location: http://crl.ca.test/good.crl"),
        "cut": (200, b"", "Transfer-Encoding: chunked"),
    }
    good = (200, authority.crl(start=now - DAY, end=now + DAY))
    served = {"/list.crl": pages[answer], "/good.crl": good}
    async with Web(served) as web, Asking({"crl.ca.test": web.address}) as asking:
        assert (await asking.judged(one, snapshot(authority))).revocation == "unknown"
        assert web.asked == ["/list.crl"], "no redirect is followed"


@pytest.mark.parametrize(
    "url",
    [
        "http://inside.ca.test/list.crl", "http://loop.ca.test/list.crl", "http://meta.ca.test/latest/meta-data/",
        "http://six.ca.test/list.crl", "http://127.0.0.1/list.crl", "http://[::1]/list.crl",
        "http://crl.ca.test:25/list.crl", "http://user@crl.ca.test/list.crl", "http://crl.ca.test/a%0d%0ab\r\nX: y",
        "ftp://crl.ca.test/list.crl", "http://nowhere.ca.test/list.crl",
    ],
)  # fmt: skip
async def test_a_strangers_url_reaches_nothing_of_ours(url: str) -> None:
    """BI-029: addresses are looked at after they were resolved; no port and no scheme but the web's."""
    async with Asking({}) as asking:
        with pytest.raises(OSError):
            await asking.fetch.get(url, 1000, plain=True)


async def test_keys_are_never_fetched_in_clear() -> None:
    async with Web({"/": (200, b"key")}) as web, Asking({"crl.ca.test": web.address}) as asking:
        with pytest.raises(OSError):
            await asking.fetch.get("http://crl.ca.test/", 1000)
        with pytest.raises((ssl.SSLError, OSError)):
            await asking.fetch.get("https://crl.ca.test/", 1000)
        assert web.asked == []
