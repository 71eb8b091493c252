"""How many clients were at one copy: of one person, of several people, or of a farm."""

from typing import Any

import pytest

from carepost.tracking.judge import judge
from carepost.tracking.types import Hit, Later, Seen, Trail, Verdict

pytestmark = pytest.mark.fast

SECOND = 1_000_000
HOUR = 3600 * SECOND


def whole(at: float, link: int = 1, **more: Any) -> Seen:
    """A whole, current browser that follows a link from a program."""
    said: dict[str, Any] = {
        "network": "unlisted", "client": "chrome", "platform": "windows", "age": 0, "language": True, "accept": "html",
        "coding": "modern", "fetch": "user", "origin": "direct", "hints": "agrees", "upgrade": True, "place": 1,
        "agent": 1,
    }  # fmt: skip
    return Seen("click", "link", round(at * SECOND), link=link, **(said | more))


def judged(*seen: Seen, links: int = 5, later: tuple[Later, ...] = ()) -> list[Verdict]:
    hits = tuple(Hit(str(n), one) for n, one in enumerate(seen))
    return list(judge(Trail(hits, links=links, later=later)))


def called(*seen: Seen, **more: Any) -> list[str]:
    return [one.verdict.value for one in judged(*seen, **more)]


def test_links_followed_by_clients_with_nothing_in_common_are_a_farms() -> None:
    farm = [whole(40 + 12 * n, n + 1, place=n, agent=10 + n) for n in range(5)]
    assert called(*farm) == ["automated"] * 5
    assert "strangers" in judged(*farm)[0].evidence


def test_one_browser_that_does_the_same_is_a_persons() -> None:
    assert set(called(*(whole(7200 + 12 * n, n + 1) for n in range(5)))) == {"human"}


def test_a_proxy_whose_way_out_turns_makes_no_stranger_of_anybody() -> None:
    pages = [whole(7200 + 12 * n, n + 1, network="webproxy", place=n) for n in range(5)]
    assert "automated" not in called(*pages)
    assert set(called(*(whole(7200 + 12 * n, n + 1, place=n) for n in range(5)))) == {"automated"}


def test_one_browser_with_its_tabs_long_after_delivery_is_no_machine() -> None:
    """The family that rules 2 called machines most often: every link, a second or so apart."""
    tabs = [whole(5 * 3600 + 1.1 * n, n + 1) for n in range(4)]
    assert "automated" not in called(*tabs, links=4)
    # minutes after delivery it is a gateway's look
    assert set(called(*(whole(40 + 1.1 * n, n + 1) for n in range(4)), links=4)) == {"automated"}


def test_several_names_from_one_place_in_a_data_centre_are_one_machine() -> None:
    looks = [whole(600 + 7 * 3600 * n, 1, network="amazon", place=7, agent=20 + n) for n in range(3)]
    assert called(*looks) == ["automated"] * 3
    # one name is a rented desktop, for all anybody can say
    assert set(called(*(whole(600 + 7 * 3600 * n, 1, network="amazon", place=7) for n in range(3)))) == {"undetermined"}


def test_data_centres_with_nothing_in_common_are_a_feed() -> None:
    feed = [whole(900 + 3 * 3600 * n, 1, network="hosting", place=n, agent=30 + n) for n in range(4)]
    assert called(*feed) == ["automated"] * 4


def test_who_shows_the_message_is_not_asked_for_what_a_machine_did() -> None:
    """A gateway swept every link; the person follows one, from home, while the mailbox shows the message."""
    sweep = [whole(30 + 0.1 * n, n + 1, network="amazon", place=9, agent=9) for n in range(5)]
    shown = Seen("open", "pixel", 60 * SECOND, client="gmail-proxy", network="google")
    assert called(*sweep, shown, whole(66, 2))[-1] == "human"


def test_asked_again_from_elsewhere_for_a_changed_address() -> None:
    tools = [whole(3600, 1, network="vpn", fetch="navigation"),
             whole(3601, 1, network="hosting", place=2, fetch="navigation", altered=True)]  # fmt: skip
    assert called(*tools) == ["automated"] * 2
    # a person who pasted the address with a bracket, and then without
    assert called(whole(3600, 1, altered=True), whole(3602, 1))[1] == "human"


@pytest.mark.parametrize("what", ["session", "form"])
def test_later_evidence_of_the_same_client_turns_what_nobody_could_say(what: Any) -> None:
    click = whole(9000, 1, network="amazon")
    assert called(click) == ["undetermined"]
    (turned,) = judged(click, later=(Later(what, 9300 * SECOND, 1, 1),))
    assert (turned.verdict.value, turned.reason) == ("human", "session")
    assert called(click, later=(Later(what, 9300 * SECOND, 2, 1),)) == ["undetermined"]


def test_two_thousand_hits_of_one_copy_are_judged_in_bounded_time() -> None:
    crowd = [whole(60 + 0.05 * n, n % 50, place=n % 300, agent=n % 170) for n in range(2_000)]
    assert len(judged(*crowd, links=49)) == 2_000
