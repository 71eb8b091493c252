"""Opens and clicks in the console: off with a warning, on with an attestation, figures, a message's own lines."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.console import fetches, words
from carepost.console.timeline import Entry, Line
from carepost.engagement import select
from carepost.engagement.models import Copy, Sent
from carepost.engagement.types import Fetched
from carepost.ground import clock, ids
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from tests.support.mailroom import KeptDoor

pytestmark = pytest.mark.django_db(databases=["default", "records"])

VOUCHED = "M. Heron, administrator: newsletters to all subscribers, nothing about anybody's care."


@pytest.fixture
def http(maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor, log_tables: None) -> Client:
    return at_desk("administrator")


def post(http: Client, path: str, **fields: Any) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/tracking/settings").content.decode())
    assert found is not None
    return http.post(path, {"csrfmiddlewaretoken": found[1], **fields})


def text(http: Client, path: str) -> str:
    return str(http.get(path).content.decode())


def watch(http: Client, **more: str) -> Any:
    fields = {"category": "marketing", "opens": "on", "clicks": "asked", "attestation": VOUCHED, "reason": "news"}
    return post(http, "/tracking/settings", **(fields | more))


def test_everything_is_off_and_the_page_says_why(http: Client, maple: Organisation) -> None:
    page = text(http, "/tracking/settings")
    assert "Off is right for mail about care" in page
    assert page.count(">off</span>") == 3
    assert "Nothing is watched" in text(http, "/tracking")


def test_on_needs_an_attestation_and_shows_it(http: Client, maple: Organisation) -> None:
    refused = watch(http, attestation="")
    assert refused.status_code == 422
    assert "who vouches" in refused.content.decode()
    assert not any(one.on for one in select.settings(maple.pk).watched)
    assert watch(http).status_code == 302
    page = text(http, "/tracking/settings")
    assert "newsletters to all subscribers" in page
    assert page.count(">watched</span>") == 1
    assert "Nothing yet" in text(http, "/tracking")
    assert watch(http, opens="off", clicks="off", attestation="").status_code == 302
    assert not any(one.on for one in select.settings(maple.pk).watched)


@pytest.mark.parametrize(
    "wrong", [{"category": "system"}, {"opens": "always"}, {"reason": ""}], ids=["category", "level", "reason"]
)
def test_what_is_no_setting_is_refused(http: Client, maple: Organisation, wrong: dict[str, str]) -> None:
    assert watch(http, **wrong).status_code == 422
    assert not any(one.on for one in select.settings(maple.pk).watched)


def test_what_counts_and_over_which_host(http: Client, maple: Organisation) -> None:
    assert post(http, "/tracking/counts", counts="human", reason="strict").status_code == 302
    assert select.switch(maple.pk).value == "human"
    assert post(http, "/tracking/counts", counts="some", reason="x").status_code == 422
    given = {"domain": "maple.test", "reason": "set up"}
    assert post(http, "/tracking/hosts", host="link.maple.test", **given).status_code == 302
    assert "link.maple.test" in text(http, "/tracking/settings")
    assert post(http, "/tracking/hosts", host="track.thirdparty.example", **given).status_code == 422
    assert post(http, "/tracking/hosts", host="", **given).status_code == 302
    assert post(http, "/tracking/hosts", host="", **given).status_code == 422
    assert select.settings(maple.pk).hosts == {}


def test_networks_one_knows(http: Client, maple: Organisation) -> None:
    assert "Remove a network" not in text(http, "/tracking/settings")
    given = {"network": "192.0.2.0/24", "means": "scanner", "note": "gateway of Maple", "reason": "known"}
    assert post(http, "/tracking/networks", **given).status_code == 302
    page = text(http, "/tracking/settings")
    assert "gateway of Maple" in page
    assert "stays as it was seen" in page
    wrong = post(http, "/tracking/networks", **given | {"network": "192.0.2.1/24"})
    assert (wrong.status_code, "nothing after the length" in wrong.content.decode()) == (422, True)
    assert post(http, "/tracking/networks", **given | {"means": "person"}).status_code == 422
    gone = {"network": "192.0.2.0/24", "reason": "moved"}
    assert post(http, "/tracking/networks/forget", **gone | {"network": "192.0.3.0/24"}).status_code == 422
    assert post(http, "/tracking/networks/forget", **gone).status_code == 302
    assert select.settings(maple.pk).networks == ()


def test_figures_by_day_under_the_switch(http: Client, maple: Organisation) -> None:
    watch(http)
    day = clock.now() // 86_400_000_000
    with scope.organisation(maple.pk):
        Sent.objects.create(org_id=maple.pk, day=day, category="marketing", what="opens", count=8)
        for called in ("human", "undetermined", "automated", "automated"):
            Copy.objects.create(
                org_id=maple.pk, delivery=ids.text(ids.new()), day=day, category="marketing", opened=called
            )
    page = text(http, "/tracking?days=7&category=marketing")
    assert "2 of 8" in page
    assert "25.0 %" in page
    assert "1 · 1 · 2" in page
    post(http, "/tracking/counts", counts="human", reason="strict")
    assert "1 of 8" in text(http, "/tracking")
    assert "No copy that is watched" in text(http, "/tracking?category=operational&days=nonsense")


def test_who_may(maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor, log_tables: None) -> None:
    for role, report, settings in (("auditor", 200, 404), ("operator", 200, 404), ("sender", 404, 404)):
        http = at_desk(role)
        assert http.get("/tracking").status_code == report
        assert http.get("/tracking/settings").status_code == settings
        for path in ("/tracking/settings", "/tracking/networks", "/tracking/networks/forget"):
            assert http.post(path, {}).status_code in (403, 404)


LINE = Line("d", "j@patient.test", words.state("sent"), "", "", "", "", "", 0, (), False, False, False, False)


def fetched(**more: Any) -> Fetched:
    given: dict[str, Any] = {
        "kind": "open", "role": "pixel", "link": 0, "at": 5, "last_at": 5, "count": 1,
        "verdict": "automated", "because": "it named itself a machine", "confidence": 90, "counted": False,
    }  # fmt: skip
    return Fetched(**(given | more))


@pytest.mark.parametrize(
    ("given", "heading"),
    [
        ({}, "Opened, probably by a machine"),
        ({"confidence": 99}, "Opened, by a machine"),
        ({"kind": "click", "role": "link", "link": 2, "verdict": "human"}, "Link 2 followed, probably by a person"),
        ({"verdict": "undetermined"}, "Opened, nobody can say by whom"),
        ({"kind": "click", "role": "decoy"}, "The hidden link was followed, probably by a machine"),
        ({"verdict": ""}, "Opened; not judged yet"),
    ],
    ids=["machine", "surely", "person", "unclear", "hidden", "waiting"],
)  # fmt: skip
def test_a_line_says_who_it_probably_was_and_why(given: dict[str, Any], heading: str) -> None:
    (entry,) = fetches.beside(LINE, [fetched(**given)]).entries
    assert entry.heading == heading
    if given.get("verdict") != "":
        assert "Because it named itself a machine" in entry.texts[0]


def test_many_lines_are_one_more_line() -> None:
    many = [fetched(at=n, last_at=n) for n in range(fetches.MOST + 4)]
    shown = fetches.beside(LINE, many).entries
    assert len(shown) == fetches.MOST + 1
    assert isinstance(shown[-1], Entry)
    assert shown[-1].heading == "Opened or clicked 4 times more"
