"""The order and the pace of links: signs that hold whatever the client is called."""

import pytest

from carepost.tracking.judge import judge
from carepost.tracking.types import Around, Hit, Seen, Trail, Verdict

pytestmark = pytest.mark.fast

SECOND = 1_000_000
HOUR = 3_600


def browser(at: float, link: int = 1, **more: object) -> Seen:
    """A whole browser of a desktop in a data centre, pressed in a program."""
    fields: dict[str, object] = {
        "kind": "click", "role": "link", "since": round(at * SECOND), "link": link, "client": "edge",
        "platform": "windows", "age": 0, "language": True, "accept": "html", "coding": "modern", "fetch": "user",
        "origin": "direct", "hints": "agrees", "upgrade": True, "network": "microsoft", "place": 7, "agent": 11,
    }  # fmt: skip
    return Seen(**(fields | more))  # type: ignore[arg-type]


def judged(*seen: Seen, links: int = 9, around: tuple[Around, ...] = ()) -> list[Verdict]:
    return list(judge(Trail(hits=tuple(Hit(str(n), one) for n, one in enumerate(seen)), links=links, around=around)))


def said(code: str, verdicts: list[Verdict]) -> list[bool]:
    return [code in verdict.evidence for verdict in verdicts]


def test_one_pace_is_a_machines_and_an_uneven_one_a_persons() -> None:
    even = [browser(HOUR + 8 * n, n, network="unlisted") for n in range(1, 6)]
    uneven = [browser(HOUR + at, n, network="unlisted") for n, at in enumerate((0, 3, 41, 52, 90), 1)]
    assert said("steady", judged(*even)) == [True] * 5
    assert said("steady", judged(*uneven)) == said("leisure", judged(*even)) == [False] * 5
    assert said("leisure", judged(*uneven)) == [True] * 5


def test_three_gaps_are_compared_and_no_fewer() -> None:
    assert said("steady", judged(*(browser(HOUR + 8 * n, n) for n in range(1, 4)))) == [False] * 3


def test_the_same_link_again_is_no_pace_and_no_leisure() -> None:
    again = judged(*(browser(HOUR + 20 * n, 1, network="unlisted") for n in range(5)))
    assert said("steady", again) == said("leisure", again) == [False] * 5


def test_swift_from_a_data_centre_is_a_machine_and_from_a_page_there_is_not() -> None:
    swift = [browser(3 * HOUR + 2.5 * n, n) for n in range(1, 5)]
    assert said("swift-cloud", judged(*swift)) == [True] * 4
    page = [browser(3 * HOUR + 2.5 * n, n, origin="cross") for n in range(1, 5)]
    phone = [browser(3 * HOUR + 2.5 * n, n, platform="ios", client="safari") for n in range(1, 5)]
    home = [browser(3 * HOUR + 2.5 * n, n, network="unlisted") for n in range(1, 5)]
    for other in (page, phone, home):
        assert said("swift-cloud", judged(*other)) == [False] * 4


def test_soon_after_delivery_weighs_in_data_centres_only() -> None:
    assert [said("early", judged(browser(at)))[0] for at in (1.5, 30, 59, 61)] == [False, True, True, False]
    assert [said("early-minutes", judged(browser(at)))[0] for at in (59, 61, 299, 301)] == [False, True, True, False]
    for more in ({"network": "unlisted"}, {"platform": "android"}, {"origin": "cross"}):
        assert said("early", judged(browser(30, **more))) == [False]  # type: ignore[arg-type]


def test_after_a_machine_the_next_look_from_a_data_centre_is_held_to_be_its_second() -> None:
    first = browser(40, client="library", platform="none", place=90, agent=91)
    found = judged(first, browser(900, 2), browser(20 * HOUR, 3), browser(950, 4, network="unlisted", place=3, agent=4))
    assert said("second-look", found) == [False, True, False, False]
    assert said("second-look", judged(browser(20), browser(40, client="library", agent=5))) == [False, False]


def test_who_was_a_machine_elsewhere_and_comes_as_soon_is_one_here() -> None:
    mine = browser(40, network="unlisted")
    there = Around("other", 40 * SECOND, mine, verdict="automated", reason="method", same_domain=True)
    soon, late = judged(mine, around=(there,))[0], judged(browser(9_000, network="unlisted"), around=(there,))[0]
    assert "known-early" in soon.evidence
    assert "known-early" not in late.evidence
