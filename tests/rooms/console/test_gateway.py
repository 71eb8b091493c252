"""Connections to the organisation's own mail system in the console: made, set up step by step, changed, removed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.gateway import select
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import COMMAND_LINE
from tests.support.mailroom import KeptDoor
from tests.support.outbox import office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)


@pytest.fixture
def http(maple: Organisation, at_desk: Callable[..., Client], door: KeptDoor) -> Client:
    return at_desk("administrator")


def post(http: Client, path: str, **fields: Any) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/gateway/new").content.decode())
    assert found is not None
    return http.post(path, {"csrfmiddlewaretoken": found[1], **fields})


def the_one(maple: Organisation) -> select.Shown:
    with scope.organisation(maple.pk):
        (one,) = select.connections(maple.pk, COMMAND_LINE)
    return one


def test_from_nothing_to_a_connection_and_back(http: Client, maple: Organisation) -> None:
    assert "No mail system connected" in http.get("/gateway").content.decode()
    made = post(http, "/gateway/new", name="Our Microsoft 365", provider="microsoft365").content.decode()
    one = the_one(maple)
    value = re.search(rf"{one.id.replace('-', '')}\.[A-Za-z0-9_-]{{43}}", made)
    assert value is not None and "shown this once" in made
    page = http.get(f"/gateway/{one.id}").content.decode()
    assert value[0] not in page and "X-Carepost-Gateway" in page and "Outbound connector" in page
    assert "Our Microsoft 365" in http.get("/gateway").content.decode()

    fields = {
        "mode": "return", "host": "mail.tenant.test", "port": "25", "shared_names": "*.mail.provider.test\nb.test",
        "shared_networks": "203.0.113.0/24", "banner": "on",
    }  # fmt: skip
    assert post(http, f"/gateway/{one.id}/change", **fields).status_code == 302
    assert the_one(maple).settings.shared_names == ("*.mail.provider.test", "b.test")
    refused = post(http, f"/gateway/{one.id}/change", **fields | {"host": ""})
    assert refused.status_code == 422 and "Name your own mail host" in refused.content.decode()
    assert one.mark in http.get(f"/gateway/{one.id}").content.decode()

    login = {"kind": "password", "username": "u@maple.test", "password": "an-invented-word"}
    assert post(http, f"/gateway/{one.id}/sign-in", **login).status_code == 302
    page = http.get(f"/gateway/{one.id}").content.decode()
    assert "with a password as u@maple.test" in page and "an-invented-word" not in page
    wrong = post(http, f"/gateway/{one.id}/sign-in", **login | {"password": ""})
    assert wrong.status_code == 422 and "password is missing" in wrong.content.decode()

    again = post(http, f"/gateway/{one.id}/rotate").content.decode()
    assert "Two values count" in again and value[0] not in again
    assert post(http, f"/gateway/{one.id}/end").status_code == 302
    assert post(http, f"/gateway/{one.id}/remove").status_code == 422
    assert post(http, f"/gateway/{one.id}/remove", reason="we left").status_code == 302
    assert http.get(f"/gateway/{one.id}").status_code == 404
    for kind in ("added", "changed", "login-set", "secret-added", "secret-ended", "removed"):
        assert len(office_events(f"gateway.{kind}")) == 1, kind


def test_whoever_may_not_route_mail_sees_none_of_it(
    http: Client, maple: Organisation, at_desk: Callable[..., Client]
) -> None:
    post(http, "/gateway/new", name="Ours", provider="google")
    one = the_one(maple)
    operator = at_desk("operator")
    assert operator.get("/gateway").status_code in (403, 404)
    assert operator.get(f"/gateway/{one.id}").status_code in (403, 404)
