"""Sending in the console: what holds mail back and lifting it, pools, addresses, limits; who may, and whose it is."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.destinations import sending, ways
from carepost.pace.limits import Limits
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.pacing import HeldBack, LaneView
from tests.support.mailroom import KeptDoor
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])
UNTIL = 1_795_262_400_000_000
HELD = LaneView(
    "gmail", "", 5, 50, 0, 0, 0,
    HeldBack("suspension", "a pause at Gmail and Google Workspace: it says so", UNTIL, "gmail", "", "gmail-rate"),
    (("gmail-rate", UNTIL),),
)  # fmt: skip


def post(http: Client, path: str, **fields: object) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(path).content.decode())
    assert found is not None
    return http.post(path, {"csrfmiddlewaretoken": found[1]} | fields)


def test_what_is_held_back_is_said_with_by_what_and_until_when(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    door.stand = [HELD, LaneView("yahoo", "", 10, 20, 0, 0, 3)]
    page = at_desk("operator").get("/sending").content.decode()
    for said in ("Gmail and Google Workspace", "Held back by a pause at", "until", "Yahoo and AOL", "1 of 2 holds"):
        assert said in page, said
    assert "/sending/lift/" not in page, "an operator may look, not lift"
    assert "/sending/lift/gmail" in at_desk("administrator").get("/sending").content.decode()


def test_without_an_engine_the_record_is_shown(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    door.closed = True
    page = at_desk("operator").get("/sending")
    assert page.status_code == 200 and b"No engine answers" in page.content


def test_an_administrator_lifts_a_pause_with_a_reason(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    http = at_desk("administrator")
    assert post(http, "/sending/lift/gmail", reason="").status_code == 422
    done = post(http, "/sending/lift/gmail", reason="their postmaster agreed")
    assert (done.status_code, done["Location"]) == (302, "/sending")
    assert office_events("sending.lifted")


def test_pools_addresses_and_limits_are_made_changed_and_taken_away(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    http = at_desk("administrator")
    assert post(http, "/sending/pools/new", name="campaigns", streams=["bulk"]).status_code == 302
    assert post(http, "/sending/addresses/new", ip="192.0.2.7", pool="campaigns", warm="on").status_code == 302
    assert post(http, "/sending/limits/new", provider="gmail", connections=2, reason="asked").status_code == 302
    page = http.get("/sending").content.decode()
    for said in ("campaigns", "marketing mail", "192.0.2.7", "New, day 1", "2 connections"):
        assert said in page, said
    changed = post(http, "/sending/addresses/192.0.2.7", state="paused", pool="campaigns", reason="listed")
    assert changed.status_code == 302
    assert [one.state for one in ways.addresses(maple.pk)] == ["paused"]
    gone = post(http, "/sending/addresses/192.0.2.7", state="paused", pool="campaigns", reason="gone", remove="yes")
    assert gone.status_code == 302
    assert post(http, "/sending/pools/campaigns/remove", reason="gone").status_code == 302
    assert post(http, "/sending/limits/gmail", provider="gmail", reason="gone", remove="yes").status_code == 302
    assert (ways.pools(maple.pk), ways.addresses(maple.pk), ways.limits(maple.pk)) == ([], [], [])


def test_how_far_ahead_messages_may_be_scheduled(
    maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    http = at_desk("administrator")
    assert "31 days" in http.get("/sending").content.decode()
    assert post(http, "/sending/ahead", days="400", reason="r").status_code == 422
    assert post(http, "/sending/ahead", days="90", reason="recalls").status_code == 302
    assert "90 days" in http.get("/sending").content.decode()
    assert "31 days" in at_desk("administrator", elsewhere=True).get("/sending").content.decode()
    assert at_desk("operator").get("/sending/ahead").status_code in (403, 404)


def test_what_is_wrong_is_said_on_the_form(maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor) -> None:
    http = at_desk("administrator")
    sending.add_pool(maple.pk, "campaigns", actor=BOOTSTRAP)
    wrong = post(http, "/sending/addresses/new", ip="somewhere", pool="campaigns")
    assert wrong.status_code == 422 and b"no IP address" in wrong.content


def test_nobody_else_acts_and_another_clinics_addresses_are_not_there(
    maple: Organisation, harbour: Organisation, at_desk: Callable[..., Client], door: KeptDoor
) -> None:
    sending.add_pool(maple.pk, "campaigns", actor=BOOTSTRAP)
    sending.add_address(maple.pk, "192.0.2.7", "campaigns", actor=BOOTSTRAP)
    sending.set_limits(maple.pk, "gmail", Limits(connections=2), actor=BOOTSTRAP, reason="asked")
    operator = at_desk("operator")
    for path in ("/sending/pools/new", "/sending/addresses/192.0.2.7", "/sending/limits/gmail", "/sending/lift/gmail"):
        assert operator.get(path).status_code in (403, 404), path
    theirs = at_desk("administrator", elsewhere=True)
    assert "192.0.2.7" not in theirs.get("/sending").content.decode()
    assert theirs.get("/sending/addresses/192.0.2.7").status_code == 404
