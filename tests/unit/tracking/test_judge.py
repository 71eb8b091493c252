"""Verdicts: recomputable, folded back, total, in time that grows with the number of hits."""

import gc
import random
import time

import msgspec
import pytest

from carepost.tracking import company, evidence
from carepost.tracking.count import count, happened
from carepost.tracking.judge import MOST, changes, judge
from carepost.tracking.reasons import PLAIN, REASONS, words
from carepost.tracking.types import (
    COUNTED,
    NETWORKS,
    RULES,
    Around,
    Hit,
    Later,
    Ruling,
    Seen,
    Switch,
    Trail,
    Verdict,
    decode,
    encode,
)

pytestmark = pytest.mark.fast

SECOND = 1_000_000
HOUR = 3_600 * SECOND


def chrome(at: float, link: int = 1, **more: object) -> Seen:
    """A whole browser at home, pressed in another program."""
    fields: dict[str, object] = {
        "kind": "click",
        "role": "link",
        "since": round(at * SECOND),
        "link": link,
        "client": "chrome",
        "platform": "windows",
        "age": 0,
        "language": True,
        "accept": "html",
        "coding": "modern",
        "fetch": "user",
        "origin": "direct",
        "hints": "agrees",
        "upgrade": True,
        "place": 7,
        "agent": 11,
    }
    return Seen(**(fields | more))  # type: ignore[arg-type]


def cloud(at: float, link: int = 1, **more: object) -> Seen:
    return chrome(at, link, **({"network": "amazon", "place": 900, "agent": 901} | more))


def bare(at: float, link: int = 1, **more: object) -> Seen:
    nothing = {
        "language": False,
        "accept": "any",
        "coding": "plain",
        "fetch": "none",
        "origin": "none",
        "hints": "none",
    }
    return cloud(at, link, **(nothing | {"upgrade": False} | more))


def judged(*seen: Seen, links: int = 3, **more: object) -> list[Verdict]:
    hits = tuple(Hit(str(n), one) for n, one in enumerate(seen))
    return list(judge(Trail(hits=hits, links=links, **more)))  # type: ignore[arg-type]


def rulings(*seen: Seen, links: int = 3, **more: object) -> list[str]:
    return [verdict.verdict.value for verdict in judged(*seen, links=links, **more)]


def test_verdicts_come_in_the_order_of_the_hits_not_of_time() -> None:
    found = judged(chrome(9_000, 2), chrome(30, role="decoy", link=0, place=1, agent=1), chrome(8_000))
    assert [(v.id, v.verdict.value, v.role, v.link) for v in found] == [
        ("0", "human", "link", 2),
        ("1", "automated", "decoy", 0),
        ("2", "human", "link", 1),
    ]
    assert all(v.rules == RULES for v in found)


def test_the_same_answer_from_what_was_stored() -> None:
    hits = tuple(
        Hit(str(n), one) for n, one in enumerate((bare(43), bare(43.1, 2), chrome(9_000), chrome(30, role="decoy")))
    )
    stored = tuple(Hit(hit.id, decode(encode(hit.seen))) for hit in hits)
    assert judge(Trail(hits=hits, links=2)) == judge(Trail(hits=stored, links=2))


def test_a_sweep_that_goes_on_turns_the_verdict_on_its_first_link() -> None:
    first = judged(chrome(50))
    whole = judged(chrome(50), chrome(50.3, 2), chrome(50.6, 3))
    assert (first[0].verdict, whole[0].verdict) == (Ruling.HUMAN, Ruling.AUTOMATED)
    turned = changes(first, whole)
    assert [(c.id, c.before, c.after) for c in turned] == [("0", Ruling.HUMAN, Ruling.AUTOMATED)]
    assert turned[0].reason == whole[0].reason
    assert changes(whole, whole) == ()


def test_the_hidden_link_is_held_against_its_client_for_a_quarter_of_an_hour_only() -> None:
    hidden = chrome(1_000, role="decoy", link=0)
    assert rulings(chrome(200), hidden, chrome(1_700, 2)) == ["automated"] * 3
    assert rulings(chrome(10), hidden, chrome(2_500, 2)) == ["human", "automated", "human"]


def test_another_client_in_that_house_is_nobodys_neighbour() -> None:
    assert rulings(chrome(1_000, role="decoy", link=0), chrome(1_100, agent=12, platform="mac")) == [
        "automated",
        "human",
    ]


def test_a_session_opened_from_there_makes_a_person_of_the_click_before_it() -> None:
    doubtful = cloud(HOUR / SECOND)
    assert rulings(doubtful) == ["undetermined"]
    for what in ("session", "form", "unsubscribed"):
        later = (Later(what, HOUR + 90 * SECOND, place=900, agent=901),)  # type: ignore[arg-type]
        found = judged(doubtful, later=later)
        assert (found[0].verdict, found[0].reason) == (Ruling.HUMAN, "session")
    elsewhere = (Later("session", HOUR + 90 * SECOND, place=5, agent=6),)
    before = (Later("session", HOUR - 90 * SECOND, place=900, agent=901),)
    too_late = (Later("session", 3 * HOUR, place=900, agent=901),)
    for later in (elsewhere, before, too_late):
        assert rulings(doubtful, later=later) == ["undetermined"]


def test_a_reply_makes_no_person_of_a_hit() -> None:
    """tracking.md T15: it upgrades the message, never the earlier hit."""
    assert rulings(cloud(3_600), later=(Later("reply", 2 * HOUR),)) == ["undetermined"]


def test_not_even_a_session_makes_a_person_of_the_hidden_link() -> None:
    later = (Later("session", 60 * SECOND, place=7, agent=11),)
    assert rulings(chrome(30, role="decoy", link=0), later=later) == ["automated"]


def around(copy: str, seen: Seen, verdict: str, reason: str) -> Around:
    return Around(copy=copy, at=seen.since, seen=seen, verdict=verdict, reason=reason, same_domain=True)


def test_what_a_client_did_on_other_copies_is_known_of_it() -> None:
    alone = cloud(40)
    others = tuple(
        around(str(n), chrome(40, role="decoy", network="amazon", place=900, agent=901), "automated", "decoy")
        for n in range(2)
    )
    assert rulings(alone, links=1) == ["undetermined"]
    assert rulings(alone, links=1, around=others) == ["automated"]
    derived = tuple(msgspec.structs.replace(one, reason="known") for one in others)
    assert rulings(alone, links=1, around=derived) == ["undetermined"], "what was itself told by others tells nothing"
    human = tuple(around(f"h{n}", cloud(90), "human", "session") for n in range(2))
    assert rulings(alone, links=1, around=others + human) == ["undetermined"]


def test_colleagues_with_one_browser_behind_one_address_are_people() -> None:
    others = tuple(around(str(n), chrome(60 + n), "human", "ordinary") for n in range(30))
    assert rulings(chrome(61), links=1, around=others) == ["human"]


def test_time_says_nothing_before_delivery_is_on_record() -> None:
    assert rulings(chrome(-5)) == ["automated"]
    assert rulings(chrome(-5, provisional=True)) == ["human"]


def test_a_data_centre_alone_decides_nothing() -> None:
    for network in ("microsoft", "google", "amazon", "hosting"):
        assert rulings(cloud(3_600, network=network)) == ["undetermined"]
    for network in ("relay", "webproxy", "vpn", "unlisted", "private", "unknown", "a word of tomorrow"):
        assert rulings(cloud(3_600, network=network)) == ["human"]


def test_no_single_sign_that_is_not_plain_makes_a_machine_of_a_whole_browser() -> None:
    weak = [r.weight for code, r in REASONS.items() if code not in PLAIN and r.applies != "open"]
    assert sum(w > 5.0 for w in weak) <= 2, "only those that say so themselves (prefetch)"


def test_every_code_has_words_and_unknown_ones_are_answered() -> None:
    assert all(words(code) and not words(code)[0].isupper() for code in REASONS)
    assert words("of tomorrow")


def test_counting_is_a_function_of_verdicts_and_so_of_the_past() -> None:
    found = judged(chrome(3_600), cloud(7_200, 2), bare(43, 3), chrome(30, role="decoy", link=0, place=1, agent=1))
    assert [v.verdict.value for v in found] == ["human", "undetermined", "automated", "automated"]
    for switch, expected in ((Switch.ALL, 3), (Switch.NOT_AUTOMATED, 2), (Switch.HUMAN, 1)):
        counts = count(found, switch, "click")
        assert (counts.total, counts.automated, counts.undetermined, counts.human) == (4, 2, 1, 1)
        assert counts.counted == expected
    assert not count(found, Switch.ALL, "open").total
    assert happened(found, Switch.HUMAN, "open") and happened(found, Switch.HUMAN, "click")
    assert not happened(found[2:], Switch.NOT_AUTOMATED, "click") and not happened(found[3:], Switch.ALL, "click")
    assert set(COUNTED) == set(Switch)


def test_any_features_are_judged() -> None:
    r = random.Random(4)
    options: dict[str, list[object]] = {
        "kind": ["open", "click"],
        "role": ["pixel", "link", "unsubscribe", "decoy"],
        "since": [-(10**15), -1, 0, 10**6, 10**15],
        "link": [-5, 0, 1, 10**6],
        "method": ["GET", "HEAD", "x"],
        "ahead": [True, False],
        "altered": [True, False],
        "network": [*NETWORKS, "", "x"],
        "client": ["chrome", "ie", "mpp", "gmail-proxy", "office", "x", ""],
        "platform": ["ios", "windows", ""],
        "age": [-1, 0, 7, 99],
        "impossible": [True, False],
        "language": [True, False],
        "accept": ["html", "image", "none", "x"],
        "coding": ["none", "modern", "x"],
        "fetch": ["user", "none", "unsaid", "x"],
        "origin": ["cross", "direct", "x"],
        "hints": ["agrees", "differs", "headless", "none", "x"],
        "place": [-1, 5],
        "agent": [-1, 5],
    }
    for _ in range(300):
        seen = [Seen(**{name: r.choice(values) for name, values in options.items()}) for _ in range(r.randrange(6))]  # type: ignore[arg-type]
        later = (Later("session", r.choice([0, 10**15])),)
        surrounding = tuple(around("x", one, "automated", "decoy") for one in seen)
        for verdict in judged(*seen, links=r.choice([-1, 0, 1, 3]), later=later, around=surrounding):
            assert verdict.reason in REASONS and 0.5 <= verdict.confidence <= 0.99
            assert set(verdict.evidence) <= set(REASONS)


def test_no_hit_at_all_is_no_verdict() -> None:
    assert judge(Trail(hits=())) == ()


@pytest.mark.parametrize("step", [0, 1, 1_000, SECOND], ids=["at-once", "microseconds", "milliseconds", "seconds"])
def test_time_grows_with_the_number_of_hits(step: int) -> None:
    def took(number: int) -> float:
        seen = [chrome(0, n % 50, agent=n % 4096, place=n % 911) for n in range(number)]
        hits = tuple(Hit(str(n), msgspec.structs.replace(one, since=n * step)) for n, one in enumerate(seen))
        trail = Trail(hits=hits, links=50, later=tuple(Later("session", n * step) for n in range(50)))
        # the heap of a whole run's tests is not what is measured
        gc.disable()
        try:
            return min(timed(trail) for _ in range(3))
        finally:
            gc.enable()

    def timed(trail: Trail) -> float:
        began = time.process_time()
        judge(trail)
        return time.process_time() - began

    took(100)
    small = took(MOST // 4)
    assert took(MOST) < 12 * small + 0.1
    assert took(10 * MOST) < 60 * small + 0.5, "beyond MOST each is judged by itself"


def test_shape_and_client_are_what_other_hits_are_compared_by() -> None:
    assert company.shape(chrome(1, 1)) == company.shape(chrome(99, 5, origin="cross"))
    assert company.shape(chrome(1)) != company.shape(bare(1))
    assert "complete" in evidence.of(chrome(60)) and "complete" not in evidence.of(bare(60))
