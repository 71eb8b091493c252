"""Our domains in the console: who sends in their name; for administrators of the organisation alone."""

from collections.abc import Callable

import pytest
from django.test import Client

from carepost.destinations import reports
from carepost.ground import clock, ids
from carepost.rfc.reports import Failure, Report, Row
from carepost.tenancy import select
from carepost.tenancy.models import Organisation
from carepost.wire.reports import Received

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
