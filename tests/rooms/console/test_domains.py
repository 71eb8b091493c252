"""Our domains in the console: who sends in their name; for administrators of the organisation alone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.destinations import reports
from carepost.ground import clock, ids
from carepost.ground.errors import Unavailable
from carepost.rfc.asking import Found, Question
from carepost.rfc.reports import Failure, Report, Row
from carepost.tenancy import select
from carepost.tenancy.models import Organisation
from carepost.wire.reports import Received
from tests.support.mailroom import happened

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def told(org: Organisation, proved: str = "reports.example.test", **changes: object) -> None:
    end = clock.now()
    given: dict[str, object] = {
        "kind": "dmarc", "domain": f"{org.slug}.test", "reporter": "Example <b>Mail</b>", "number": ids.text(ids.new()),
        "begins": end - 86_400_000_000, "ends": end, "good": 1240, "bad": 3, "policy": "p=reject",
        "rows": (
            Row("198.51.100.7", 1240, dkim="pass", spf="fail", signed=(f"{org.slug}.test",)),
            Row("203.0.113.9", 3, disposition="reject", dkim="fail", spf="fail", sent="evil.test"),
        ),
    }  # fmt: skip
    reports.keep(org.pk.bytes, ids.new(), Received(Report(**(given | changes)), proved))


def page(http: Client, path: str = "/domains") -> str:
    answer = http.get(path)
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


def of(org: Organisation) -> str:
    [row] = select.domains(org.pk)
    return f"/domains/{row.pk}"


def test_who_sends_in_our_name(maple: Organisation, at_desk: Callable[..., Client]) -> None:
    told(maple)
    told(maple, kind="tls", good=90, bad=2, rows=(), failures=(Failure("certificate-expired", 2, "mx.maple.test"),))
    http = at_desk("administrator")
    listed = page(http)
    assert "maple.test" in listed and "1,243" in listed and "Some is not proved" in listed
    shown = page(http, of(maple))
    assert shown.index("203.0.113.9") < shown.index("198.51.100.7")
    assert "receivers refused it" in shown and "The certificate had ended" in shown
    assert "Example &lt;b&gt;Mail" in shown and "<b>Mail" not in shown
    assert "What to publish in DNS" in shown and "Not looked at yet" in shown


def test_without_reports_the_page_says_how_to_get_them(maple: Organisation, at_desk: Callable[..., Client]) -> None:
    http = at_desk("administrator")
    assert "No reports yet" in page(http) and "publish the DMARC record" in page(http, of(maple))


def test_what_nobody_proved_is_said_and_not_counted(maple: Organisation, at_desk: Callable[..., Client]) -> None:
    told(maple, proved="")
    shown = page(at_desk("administrator"), of(maple))
    assert "1 more report was not counted" in shown and "203.0.113.9" not in shown


@pytest.mark.parametrize("role", ["operator", "auditor", "sender"])
def test_whoever_may_not_see_domains_finds_no_page(
    maple: Organisation, at_desk: Callable[..., Client], role: str
) -> None:
    http = at_desk(role)
    assert [http.get(path).status_code for path in ("/domains", of(maple))] == [404, 404]


def test_another_organisations_domain_is_absent(maple: Organisation, at_desk: Callable[..., Client]) -> None:
    told(maple)
    http = at_desk("administrator", elsewhere=True)
    assert http.get(of(maple)).status_code == 404
    assert "maple.test" not in page(http)
    assert Client().get("/domains").status_code == 302


class Engine:
    """One whose DNS holds nothing; `away`: the engine itself does not answer."""

    away = False

    def ask(self, question: Question) -> Found:
        if self.away:
            raise Unavailable("engine-away", "No engine answers.")
        return Found()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    return made


def asked(http: Client, domain: str) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page(http, "/domains/new"))
    assert found is not None
    return http.post("/domains/new", {"csrfmiddlewaretoken": found[1], "domain": domain})


def test_a_domain_is_added_and_its_records_are_what_comes_next(
    maple: Organisation, harbour: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    http = at_desk("administrator")
    assert 'href="/domains/new"' in page(http)
    made = asked(http, " Lab.Maple.TEST ")
    assert made.status_code == 302
    row = next(one for one in select.domains(maple.pk) if one.domain == "lab.maple.test")
    assert made.headers["Location"] == f"/domains/{row.pk}/records"
    assert len(row.dkim_keys.all()) == 2
    shown = page(http, made.headers["Location"])
    assert "The domain was added" in shown and "_domainkey.lab.maple.test" in shown
    event = happened(maple.pk, "domain.added")[-1]
    assert (event.actor.kind, dict(event.facts)["domain"]) == ("staff", "lab.maple.test")
    # the same again, what is another organisation's, and what is no domain, say so beside the field
    for domain, said in (
        ("lab.maple.test", "here already"), ("harbour.test", "another organisation"), ("nowhere", "not a domain name"),
        ("", "Enter the domain"),
    ):  # fmt: skip
        refused = asked(http, domain)
        assert refused.status_code == 422 and said in refused.content.decode()
    assert {one.domain for one in select.domains(maple.pk)} == {"maple.test", "lab.maple.test"}


@pytest.mark.parametrize("role", ["operator", "auditor", "sender"])
def test_whoever_may_not_change_domains_adds_none(
    maple: Organisation, at_desk: Callable[..., Client], role: str
) -> None:
    http = at_desk(role)
    assert http.get("/domains/new").status_code == 404
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/sign-out").content.decode())
    assert found is not None
    form = {"csrfmiddlewaretoken": found[1], "domain": "lab.maple.test"}
    assert http.post("/domains/new", form).status_code == 404
    assert Client().get("/domains/new").status_code == 302
    assert [one.domain for one in select.domains(maple.pk)] == ["maple.test"]


def test_one_organisations_new_domain_is_no_page_of_another(
    maple: Organisation, harbour: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    engine.away = True
    assert asked(at_desk("administrator"), "lab.maple.test").status_code == 302, "it is added, whoever answers for DNS"
    row = next(one for one in select.domains(maple.pk) if one.domain == "lab.maple.test")
    other = at_desk("administrator", elsewhere=True)
    assert other.get(f"/domains/{row.pk}/records").status_code == 404
    assert "lab.maple.test" not in page(other)
