"""Connections to the organisation's own mail system in the console: made, set up step by step, changed, removed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.gateway import select
from carepost.mailbox import door as engine
from carepost.rfc.asking import ABSENT, Found, Question
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import COMMAND_LINE
from carepost.wire import probes
from carepost.wire.doors import Probe
from carepost.wire.probes import Probed
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


class _Tried:
    """The engines as the check reaches them."""

    def ask(self, question: Question) -> Found:
        return ABSENT

    def probe(self, call: Probe) -> tuple[Probed, ...]:
        return (Probed(probes.HOST, probes.BAD, "mail.tenant.test:25", "timeout"),)


def test_check_again_tries_it_and_says_what_to_mend(
    http: Client, maple: Organisation, at_desk: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    post(http, "/gateway/new", name="Ours", provider="google")
    one = the_one(maple)
    path = f"/gateway/{one.id}"
    page = http.get(path).content.decode()
    assert "Nothing was tried yet" in page and re.search(r"gateway-check\+[a-z2-7]{20,30}@", page)
    assert http.get(f"{path}/check").headers["Location"] == path, "GET never acts"
    monkeypatch.setattr(engine, "client", _Tried)
    assert post(http, f"{path}/check").status_code == 302
    page = http.get(path).content.decode()
    assert re.search(r'alert-warning" role="status">Checked. \d of \d steps do(es)? not work\.', page), "no success"
    assert "a firewall may drop our connections" in page and "Publish an MX record" in page
    assert len(office_events("gateway.probed")) == 1
    refused = post(http, f"{path}/check", send="on")
    assert refused.status_code == 422 and "Name a mailbox of yours" in refused.content.decode()
    operator = at_desk("operator")
    assert operator.post(f"{path}/check").status_code in (403, 404)
    assert len(office_events("gateway.probed")) == 1


def test_whoever_may_not_route_mail_sees_none_of_it(
    http: Client, maple: Organisation, at_desk: Callable[..., Client]
) -> None:
    post(http, "/gateway/new", name="Ours", provider="google")
    one = the_one(maple)
    operator = at_desk("operator")
    assert operator.get("/gateway").status_code in (403, 404)
    assert operator.get(f"/gateway/{one.id}").status_code in (403, 404)


def marked(http: Client, path: str) -> dict[str, str]:
    """The hidden fields of the form of a page, as it was opened once."""
    return dict(re.findall(r'name="(csrfmiddlewaretoken|page)" value="([^"]+)"', http.get(path).content.decode()))


def test_pressed_twice_on_one_page_it_is_one_connection_and_one_new_value(http: Client, maple: Organisation) -> None:
    form = {**marked(http, "/gateway/new"), "name": "Our Microsoft 365", "provider": "microsoft365"}
    assert form["page"]
    assert "shown this once" in http.post("/gateway/new", form).content.decode()
    again = http.post("/gateway/new", form)
    one = the_one(maple)
    assert again.status_code == 409 and "made already" in again.content.decode()
    assert f"/gateway/{one.id}" in again.content.decode() and one.id.replace("-", "") not in again.content.decode()
    assert len(office_events("gateway.added")) == 1
    form = marked(http, f"/gateway/{one.id}")
    assert "shown this once" in http.post(f"/gateway/{one.id}/rotate", form).content.decode()
    again = http.post(f"/gateway/{one.id}/rotate", form)
    assert again.status_code == 409 and "shown this once" not in again.content.decode()
    assert len(office_events("gateway.secret-added")) == 1
    # a new page of the same form is another connection
    assert (
        http.post("/gateway/new", {**marked(http, "/gateway/new"), "name": "B", "provider": "microsoft365"}).status_code
        == 200
    )
