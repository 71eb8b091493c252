"""Which copies are marked, with what, and which links stay what they are. HS: PR-21, off by default for health mail."""

import re

import msgspec
import pytest

from carepost.crypto import link_token
from carepost.crypto.link_token import Link, Use
from carepost.delivery import marking
from carepost.delivery.marking import Marks
from carepost.directory.types import OrgSnapshot, Tracking
from carepost.policy.types import (
    Assurance,
    ContentFacts,
    Facts,
    Level,
    Method,
    Plan,
    Rule,
    Step,
)
from carepost.queue.types import Claim, DeliveryRecord, MessageRecord
from carepost.rfc import htmlpart, links
from carepost.rfc.envelope import Recipient
from carepost.wire.types import Actor, TrackingAsk

pytestmark = pytest.mark.fast

ON = Tracking("on", "on")
ORG = OrgSnapshot(
    id=bytes(range(16)), name="Clinic", epoch=1, policy_version="v1", notice_name="", phone="", auditor="",
    portal_url="https://portal.clinic.test", portal_address="", floor=Assurance.VERIFIED, patience=60, rules=(),
    domains=(), routes=(), keys={}, tracking={"marketing": ON}, tracking_hosts={"clinic.test": "link.clinic.test"},
)  # fmt: skip
NEWS = MessageRecord(
    sender="n@clinic.test", subject="", message_id="", header_from="n@clinic.test", actor=Actor("key", "k"), client="",
    envid=None, smtputf8=False, eightbit=False, kind="message", category="marketing", data_class="ordinary",
    purpose="operations", origin="api",
)  # fmt: skip
PLAN = Plan((Step(Method.TLS, Assurance.VERIFIED, "r"),), Assurance.VERIFIED, "r", "tls", "", "v1")
RECORD = DeliveryRecord(Recipient("jane@patient.test"), "n@clinic.test", PLAN)
DELIVERY = bytes(range(16, 32))
FACTS = Facts("o", "v1", "n@clinic.test", "clinic.test", "jane@patient.test", "patient.test")
KEY = b"k" * 32
BOTH = Marks(True, True)
PAGE = (
    '<html><body><a href="https://shop.test/a?x=1&amp;y=2">A</a> <a href="https://shop.test/b">B</a> '
    '<a href="https://shop.test/a?x=1&amp;y=2">A again</a> <a href="https://clinic.test/unsubscribe?u=1">out</a> '
    '<a href="https://lists.test/leave/9">leave</a> <a href="https://portal.clinic.test/m">portal</a> '
    '<a href="mailto:n@clinic.test">mail</a> <a href="https://n.test/" data-carepost-notrack>n</a></body></html>'
)
BODY = (
    "From: n@clinic.test\r\nList-Unsubscribe: <mailto:u@clinic.test>,\r\n <https://lists.test/leave/9>\r\n"
    f"Subject: s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{PAGE}\r\n"
).encode()  # fmt: skip


class Keys:
    def link_key(self, snapshot: OrgSnapshot) -> tuple[int, bytes] | None:
        return 3, KEY


def claim(record: DeliveryRecord = RECORD) -> Claim:
    return Claim(DELIVERY, bytes(16), ORG.id, "bulk", b"", 0, 1, record)


def wanted(message: MessageRecord = NEWS, record: DeliveryRecord = RECORD, facts: Facts = FACTS) -> Marks | None:
    return marking.wanted(ORG, message, claim(record), facts)


def test_a_copy_of_a_category_that_is_watched_is_marked() -> None:
    assert wanted() == Marks(True, True)


NOT = {
    "another-category": (msgspec.structs.replace(NEWS, category="transactional"), RECORD, FACTS),
    "part2": (msgspec.structs.replace(NEWS, data_class="part2"), RECORD, FACTS),
    "psychotherapy": (msgspec.structs.replace(NEWS, data_class="psychotherapy"), RECORD, FACTS),
    "notice": (msgspec.structs.replace(NEWS, kind="notice"), RECORD, FACTS),
    "from-the-world": (msgspec.structs.replace(NEWS, origin="inbound"), RECORD, FACTS),
    "mail-system-behind-us": (msgspec.structs.replace(NEWS, origin="smtp", gateway="g"), RECORD, FACTS),
    "forwarded": (msgspec.structs.replace(NEWS, forwarder="f@clinic.test"), RECORD, FACTS),
    "test": (msgspec.structs.replace(NEWS, test=True), RECORD, FACTS),
    "health": (NEWS, msgspec.structs.replace(RECORD, content=ContentFacts(level=Level.PHI_LIKELY)), FACTS),
    "looked-at-in-vain": (NEWS, msgspec.structs.replace(RECORD, content=ContentFacts()), FACTS),
    "rule-at-the-door": (
        NEWS,
        msgspec.structs.replace(RECORD, plan=msgspec.structs.replace(PLAN, untracked="r")),
        FACTS,
    ),
    "rule-since-then": (
        NEWS,
        RECORD,
        msgspec.structs.replace(FACTS, rules=(Rule("no-marks", recipient_domain="patient.test", strip_tracking=True),)),
    ),
    "message-says-no": (msgspec.structs.replace(NEWS, tracking=TrackingAsk(False, False)), RECORD, FACTS),
}


@pytest.mark.parametrize("given", NOT.values(), ids=NOT.keys())
def test_what_is_never_marked(given: tuple[MessageRecord, DeliveryRecord, Facts]) -> None:
    assert wanted(*given) is None


def test_what_was_found_harmless_may_be_marked() -> None:
    assert wanted(record=msgspec.structs.replace(RECORD, content=ContentFacts(level=Level.NONE))) is not None


ASKS = [
    ("on", None, True), ("on", False, False), ("on", True, True),
    ("asked", None, False), ("asked", True, True), ("asked", False, False),
    ("off", None, False), ("off", True, False),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "ask", "result"), ASKS)
def test_a_message_may_say_no_and_yes_only_where_it_is_let(setting: str, ask: bool | None, result: bool) -> None:
    snapshot = msgspec.structs.replace(ORG, tracking={"marketing": Tracking(setting, "off")})
    message = msgspec.structs.replace(NEWS, tracking=TrackingAsk(ask, True))
    assert marking.wanted(snapshot, message, claim(), FACTS) == (Marks(True, False) if result else None)


async def mark(body: bytes = BODY, marks: Marks = BOTH, snapshot: OrgSnapshot = ORG) -> tuple[bytes, str]:
    return await marking.marked(Keys(), snapshot, NEWS, claim(), body, marks)


def opened(page: str, use: Use) -> list[Link | None]:
    found = re.findall(rf"https://link\.clinic\.test/{use[0]}/([A-Za-z0-9_-]+)", page)
    return [link_token.open_(KEY, use, token) for token in found]


async def test_links_lead_through_the_organisations_own_host_and_say_nothing() -> None:
    made, words = await mark()
    found = htmlpart.find(made)
    assert found is not None
    assert words == "opens clicks"
    page = found.page.decode()
    clicks = opened(page, "click")
    assert [(one.link, one.links, one.decoy, one.target) for one in clicks if one] == [
        (1, 2, False, "https://shop.test/a?x=1&y=2"), (2, 2, False, "https://shop.test/b"),
        (1, 2, False, "https://shop.test/a?x=1&y=2"), (0, 2, True, ""),
    ]  # fmt: skip
    assert {one.delivery for one in clicks if one} == {DELIVERY}
    (picture,) = opened(page, "open")
    assert picture is not None
    assert (picture.links, picture.with_decoy) == (2, True)
    for kept in ("https://clinic.test/unsubscribe?u=1", "https://lists.test/leave/9", "https://portal.clinic.test/m",
                 "mailto:n@clinic.test", "https://n.test/"):  # fmt: skip
        assert f'href="{kept}"' in page
    assert "jane" not in page
    assert "shop.test" not in page


async def test_without_what_was_added_the_page_is_the_senders() -> None:
    made, _ = await mark()
    found = htmlpart.find(made)
    assert found is not None
    page = re.sub(r'<a href="[^"]*" rel="nofollow".*?</a><img [^>]*>', "", found.page.decode())
    originals = iter(["https://shop.test/a?x=1&amp;y=2", "https://shop.test/b", "https://shop.test/a?x=1&amp;y=2"])
    assert re.sub(r"https://link\.clinic\.test/c/[A-Za-z0-9_-]+", lambda _: next(originals), page) == f"{PAGE}\r\n"


async def test_only_what_is_on_is_put_in() -> None:
    made, words = await mark(marks=Marks(True, False))
    assert words == "opens"
    assert b"/c/" not in made
    made, words = await mark(marks=Marks(False, True))
    assert words == "clicks"
    assert b"<img" not in made


@pytest.mark.parametrize(
    "body",
    [
        b"From: n@clinic.test\r\n\r\nhttps://shop.test/a\r\n",
        BODY.replace(b"Subject", b"DKIM-Signature: v=1\r\nSubject"),
    ],
    ids=["text", "signed"],
)
async def test_what_cannot_carry_it_leaves_as_it_was(body: bytes) -> None:
    assert await mark(body) == (body, "")


async def test_a_page_without_links_carries_no_click_mark() -> None:
    body = BODY[: BODY.index(b"<html>")] + b"<p>hello</p>"
    assert await mark(body, Marks(False, True)) == (body, "")


async def test_without_a_host_of_its_own_the_portal_counts_and_without_both_nothing_is_marked() -> None:
    bare = msgspec.structs.replace(ORG, tracking_hosts={})
    made, _ = await mark(snapshot=bare)
    assert b"https://portal.clinic.test/c/" in made
    assert await mark(snapshot=msgspec.structs.replace(bare, portal_url="")) == (BODY, "")


async def test_links_of_ours_are_not_marked_twice() -> None:
    once, _ = await mark(marks=Marks(False, True))
    found = htmlpart.find(once)
    assert found is not None
    again, words = await mark(once, Marks(False, True))
    assert (again, words) == (once, "")
    assert all("link.clinic.test" in one.target or "shop" not in one.target for one in links.read(found.page).anchors)


async def test_a_large_message_is_marked_in_a_thread() -> None:
    large = BODY.replace(b"<body>", b"<body>" + b"<p>text</p>\r\n" * 8_000)
    assert len(large) > marking.LARGE
    made, words = await mark(large)
    assert words == "opens clicks"
    assert len(made) > len(large)
