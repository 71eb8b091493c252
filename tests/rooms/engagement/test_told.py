"""What endpoints are told of opens and clicks: verdict and reason, never who or where; in SendGrid's format too."""

from typing import Any

import msgspec
import pytest

from carepost.ground import ids
from carepost.ground.outward import Place
from carepost.proof import event, kinds
from carepost.webhooks import filters, payload, sendgrid
from carepost.webhooks.filters import Filter
from carepost.webhooks.payload import About
from carepost.webhooks.targets import Target

pytestmark = pytest.mark.fast

ORG, MESSAGE, DELIVERY = ids.text(ids.new(1)), ids.text(ids.new(1)), ids.text(ids.new(1))
ABOUT = About("marketing", "jane.quillfeather@patient.test")


def target(*, agreed: bool = False) -> Target:
    place = Place(True, "ehr.example", 443, "/hook")
    return Target(
        bytes(16), bytes(16), place, "carepost", Filter(), filters.wanted(Filter()), True, agreed, b"t" * 32, ()
    )


def happened(kind: str, **facts: str) -> event.Event:
    draft, _ = kinds.make(
        kind, id=ids.text(ids.new(1)), org=ORG, at=1_795_000_000_000_000, actor=("system", "journal"),
        on=[MESSAGE, DELIVERY], facts={"verdict": "human", "confidence": "85", "link": "2", "rules": "1"} | facts,
        cause="usual", category="marketing",
    )  # fmt: skip
    return event.read(event.finish(draft, "office", 1))


def test_every_endpoint_may_ask_for_them() -> None:
    for kind in (kinds.TRACKING_OPENED, kinds.TRACKING_CLICKED, kinds.TRACKING_REJUDGED):
        assert kind in filters.offered()
        assert kind in filters.wanted(Filter(events=("tracking.*",)))


def test_a_click_is_told_with_its_verdict_and_nothing_of_who_or_where() -> None:
    said: dict[str, Any] = msgspec.json.decode(payload.body(target(), happened(kinds.TRACKING_CLICKED), ABOUT))
    data = said["data"]
    assert (said["type"], data["verdict"], data["reason"], data["confidence"], data["link"]) == (
        "tracking.clicked", "human", "usual", "85", "2",
    )  # fmt: skip
    assert data["email"].endswith("@redacted.invalid")
    assert not {"url", "ip", "useragent", "user_agent", "response"} & set(data)
    assert "state" not in data


def test_a_change_of_mind_says_both_verdicts() -> None:
    changed = happened(kinds.TRACKING_REJUDGED, **{"verdict": "automated", "verdict-before": "human"})
    data = msgspec.json.decode(payload.body(target(), changed, ABOUT))["data"]
    assert (data["verdict_before"], data["verdict"]) == ("human", "automated")
    assert sendgrid.one(target(), changed, ABOUT) is None


@pytest.mark.parametrize(("verdict", "machine"), [("human", False), ("undetermined", True), ("automated", True)])
def test_sendgrids_open_says_whether_a_machine_did_it(verdict: str, machine: bool) -> None:
    said = sendgrid.one(target(), happened(kinds.TRACKING_OPENED, verdict=verdict), ABOUT)
    assert said is not None
    assert (said["event"], said["sg_machine_open"]) == ("open", machine)
    assert not {"ip", "useragent", "url"} & set(said)


def test_sendgrids_click_is_a_persons() -> None:
    said = sendgrid.one(target(), happened(kinds.TRACKING_CLICKED), ABOUT)
    assert said is not None
    assert said["event"] == "click"
    assert sendgrid.one(target(), happened(kinds.TRACKING_CLICKED, verdict="automated"), ABOUT) is None
