"""Destinations in the console: whose, by whom, what is told, and what an administrator may do about one."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.destinations import merging
from carepost.destinations.models import Alert, Destination
from carepost.directory.types import HOLD
from carepost.ground.errors import Unavailable
from carepost.policy.types import Assurance
from carepost.posture import Record
from carepost.tenancy import scope, select
from carepost.tenancy.actions import domains
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import AcceptedDelivery, Submission
from tests.support.mailroom import KeptDoor
from tests.support.outbox import office_events
from tests.support.sides import NOON, certificate, counted, host, record

pytestmark = pytest.mark.django_db(databases=["default", "records"])

KEY = "ab" * 32


class Engine(KeptDoor):
    """Foresees; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Submission] = []
        self.answer = AcceptedDelivery("1", "x", "queued", "tls", "tls", "Goes over a verified connection.", "default")

    def health(self) -> list[object]:
        return []

    def preview(self, submission: Submission) -> tuple[AcceptedDelivery, ...]:
        if self.closed:
            raise Unavailable("no-engine", "No engine.")
        self.asked.append(submission)
        return (self.answer,)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    return made


def token(http: Client, page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(page).content.decode())
    assert found is not None
    return found[1]


def met(org: Organisation, domain: str = "lab.test", found: Record | None = None) -> uuid.UUID:
    known = found or record(domain)
    merging.count(counted(org.pk.bytes, domain), {domain: known}.get)
    with scope.every("the test's own eyes"):
        return Destination.objects.get(org=org, domain=domain).pk


def weaken(domain: str = "lab.test") -> None:
    lost = host(f"mx.{domain}", tls="none", assurance=Assurance.NONE, fault="no-tls", certificate=None, at=2 * NOON)
    merging.take(record(domain, lost, lost_at=1))


def post(http: Client, path: str, **fields: object) -> Any:
    form = {"csrfmiddlewaretoken": token(http, "/destinations")} | {k: str(v) for k, v in fields.items()}
    return http.post(path, form)


def test_a_destination_says_how_it_stands_what_changed_and_what_would_happen_now(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    row = met(maple)
    merging.take(record("lab.test", host(certificate=certificate(2), at=2 * NOON)))
    page = at_desk("operator").get(f"/destinations/{row}")
    text = page.content.decode()
    assert page.status_code == 200
    for said in (
        "lab.test", "mx.lab.test", "TLSv1.3", certificate(2).fingerprint, "Certificate with a new key",
        "Goes over a verified connection.", "the certificate had expired", "Invented CA",
    ):  # fmt: skip
        assert said in text, said
    assert "<title>Destination" in text
    (asked,) = engine.asked
    assert asked.envelope.recipients[0].address == "postmaster@lab.test"
    assert engine.taken == []


def test_the_list_is_searched_by_post_and_shows_nobody_elses(
    maple: Organisation, harbour: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    met(maple)
    met(maple, "clinic-two.test")
    met(harbour, "secret-partner.test")
    http = at_desk("operator")
    page = http.get("/destinations").content.decode()
    assert "lab.test" in page and "clinic-two.test" in page and "secret-partner" not in page
    found = post(http, "/destinations", domain="LAB")
    assert b"lab.test" in found.content and b"clinic-two" not in found.content
    assert b"No destination found" in post(http, "/destinations", domain="nowhere").content
    weaken()
    only = post(http, "/destinations", attention="on").content.decode()
    assert "lab.test" in only and "clinic-two" not in only
    assert "1 destination needs your eyes" in http.get("/").content.decode()


def test_with_nothing_met_the_page_says_what_this_is(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    assert b"No destinations yet" in at_desk("operator").get("/destinations").content
    merging.count(counted(maple.pk.bytes), {}.get)
    with scope.every("the test's own eyes"):
        row = Destination.objects.get(org=maple).pk
    engine.closed = True
    page = at_desk("auditor").get(f"/destinations/{row}").content.decode()
    assert "No server was met yet" in page and "No engine answers" in page


@pytest.mark.parametrize("path", ["", "/seen", "/pin", "/unpin"])
def test_another_organisations_destination_is_not_there(
    path: str, maple: Organisation, harbour: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    row = met(harbour)
    http = at_desk("administrator")
    fields = {"host": "mx.evil.test", "port": 25, "reason": "r"}
    answer = post(http, f"/destinations/{row}{path}", **fields) if path else http.get(f"/destinations/{row}")
    assert answer.status_code == 404
    assert select.routes(harbour.pk) == select.routes(maple.pk) == []


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("sender", "", 404), ("auditor", "", 200), ("auditor", "/seen", 404), ("operator", "/seen", 302),
        ("operator", "/pin", 404), ("operator", "/unpin", 404), ("administrator", "/pin", 302),
    ],
)  # fmt: skip
def test_who_may(
    role: str, path: str, status: int, maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    row = met(maple)
    http = at_desk(role)
    if not path:
        assert http.get(f"/destinations/{row}").status_code == status
        return
    form = {"host": "hub.lab.test", "port": 25, "reason": "agreed", "csrfmiddlewaretoken": token(http, "/destinations")}
    assert http.post(f"/destinations/{row}{path}", form).status_code == status
    opened = http.get(f"/destinations/{row}{path}")
    assert opened.status_code == 404 or opened.headers["Location"] == f"/destinations/{row}", "a GET never acts"


def test_a_pin_with_key_and_else_hold_and_its_end_are_on_record(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    row = met(maple)
    http = at_desk("administrator")
    said = {"host": "hub.lab.test", "port": 2525, "keys": KEY, "else_hold": "on", "reason": "agreed with Lab"}
    assert post(http, f"/destinations/{row}/pin", **said).status_code == 302
    (route,) = select.routes(maple.pk)
    assert (route.domain, route.host, route.port, route.pins, route.otherwise) == (
        "lab.test", "hub.lab.test", 2525, KEY, HOLD,
    )  # fmt: skip
    (event,) = office_events("route.added")
    assert event.facts == {"domain": "lab.test", "ca": "system", "keys": "1", "otherwise": "hold"}
    assert event.actor.kind == "staff" and "reason" in event.commit
    page = http.get(f"/destinations/{row}").content.decode()
    assert "agreed with Lab" in page and "the message is held" in page
    assert post(http, f"/destinations/{row}/unpin").status_code == 422
    assert post(http, f"/destinations/{row}/unpin", reason="contract ended").status_code == 302
    assert (select.routes(maple.pk), len(office_events("route.removed"))) == ([], 1)


@pytest.mark.parametrize(
    "wrong", [{"keys": "xyz"}, {"ca": "no PEM"}, {"port": 0}, {"host": "a b"}, {"reason": ""}, {"keys": f"{KEY} " * 9}]
)
def test_a_pin_that_cannot_be_is_said_so_on_the_page(
    wrong: dict[str, Any], maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    row = met(maple)
    fields = {"host": "hub.lab.test", "port": 25, "reason": "agreed"} | wrong
    answer = post(at_desk("administrator"), f"/destinations/{row}/pin", **fields)
    assert (answer.status_code, select.routes(maple.pk)) == (422, [])
    assert b'role="alert"' in answer.content


def test_alerts_that_somebody_saw_are_closed_under_their_name(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    row = met(maple)
    weaken()
    http = at_desk("operator")
    assert "It can prove less than before" in http.get(f"/destinations/{row}").content.decode()
    assert post(http, f"/destinations/{row}/seen").status_code == 302
    with scope.every("the test's own eyes"):
        (alert,) = Alert.objects.all()
    assert alert.seen_by.startswith("staff:")
    (event,) = office_events("destination.alerts-seen")
    assert event.facts["count"] == "1"
    page = http.get(f"/destinations/{row}").content.decode()
    assert "It can prove less" not in page and "Encryption was lost" in page


def test_of_a_domain_of_ones_own_nothing_is_needed(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    """Without a sender domain nothing can be foreseen, and the page says so."""
    for one in select.domains(maple.pk):
        domains.remove_domain(maple.pk, one.domain, actor=BOOTSTRAP, reason="test")
    page = at_desk("operator").get(f"/destinations/{met(maple)}").content.decode()
    assert "no sender domain yet" in page
