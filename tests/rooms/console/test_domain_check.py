"""Our domains beside DNS: by a button, whose, by whom; keys that change; the policy served; the rules of providers."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from carepost.rfc.asking import FAILED, Found, Question, Record
from carepost.senders.models import StsPolicy
from carepost.tenancy import scope, select
from carepost.tenancy.models import Organisation

pytestmark = pytest.mark.django_db(databases=["default", "records"])


class Engine:
    """An engine whose DNS holds `zone` (TXT by name)."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.zone: dict[str, str] = {"_dmarc.maple.test": "v=DMARC1; p=<b>reject"}

    def ask(self, question: Question) -> Found:
        self.asked.append(question.name)
        if self.away:
            return FAILED
        if question.record is Record.TXT and question.name in self.zone:
            return Found(texts=(self.zone[question.name].encode(),))
        return Found()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    return made


def press(http: Client, org: Organisation, place: str = "check", **given: str) -> tuple[int, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/help").content.decode())
    assert found is not None
    [row] = select.domains(org.pk)
    answer = http.post(f"/domains/{row.pk}/{place}", {"csrfmiddlewaretoken": found[1], **given}, follow=True)
    return answer.status_code, answer.content.decode()


def test_an_administrator_sees_what_is_found_beside_what_is_wanted(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    status, text = press(at_desk("administrator"), maple)
    assert status == 200
    assert "Mail is signed, and receivers cannot check it" in text
    assert "p=&lt;b&gt;reject" in text and "<b>reject" not in text
    assert "v=TLSRPTv1; rua=mailto:tls-reports@maple.test" in text
    assert {"maple.test", "_dmarc.maple.test", "_smtp._tls.maple.test", "_mta-sts.maple.test"} <= set(engine.asked)


def test_with_no_engine_nothing_is_known_and_nothing_is_called_missing(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    engine.away = True
    status, text = press(at_desk("administrator"), maple)
    assert (status, ">Missing<" in text, text.count("Not known now") >= 6) == (200, False, True)
    assert len(engine.asked) == 4, "silence is not waited for at every name"


def test_what_changed_stands_on_the_domains_page_and_week_by_week(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    http = at_desk("administrator")
    [row] = select.domains(maple.pk)
    engine.zone["_dmarc.maple.test"] = "v=DMARC1; p=reject"
    press(http, maple)
    engine.zone["_dmarc.maple.test"] = "v=DMARC1; p=none; rua=mailto:<b>@maple.test"
    press(http, maple)
    for page in ("", "/history"):
        text = http.get(f"/domains/{row.pk}{page}").content.decode()
        assert "What receivers should do (DMARC) (weaker)" in text, page
        assert "v=DMARC1; p=reject" in text and "mailto:&lt;b&gt;@" in text and "<b>@" not in text
    assert "looked at on 1 day<" in text and text.count("none reported") == 2 and "<title>Domain over time" in text


def test_nobody_else_asks_and_a_get_asks_nothing(
    maple: Organisation, harbour: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    places = ("check", "keys", "keys/switch", "keys/schedule", "policy")
    [row] = select.domains(maple.pk)
    stranger = at_desk("administrator", elsewhere=True)
    assert [press(stranger, maple, place)[0] for place in places] == [404] * 5
    for http in map(at_desk, ("operator", "auditor", "sender")):
        assert [press(http, maple, place)[0] for place in places] == [404] * 5
    for page in ("records", "keys", "policy", "rules", "history"):
        assert stranger.get(f"/domains/{row.pk}/{page}").status_code == 404
    assert at_desk("administrator").get(f"/domains/{row.pk}/check").headers["Location"] == f"/domains/{row.pk}"
    assert engine.asked == []


def test_keys_change_step_by_step_and_never_before_dns_shows_them(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    http = at_desk("administrator")
    _, text = press(http, maple, "keys")
    assert "mail is signed as before until DNS shows them" in text and text.count("Next: waits for DNS") == 2
    status, text = press(http, maple, "keys/switch")
    assert status == 409 and "mail is signed as before" in text
    [row] = select.domains(maple.pk)
    waiting = [key for key in row.dkim_keys.all() if key.waits]
    engine.zone |= {f"{key.selector}._domainkey.maple.test": key.record for key in waiting}
    status, text = press(http, maple, "keys/switch")
    assert status == 200 and text.count("Former: leave it published") == 2 and text.count("Signs mail") == 2
    former = next(key for key in row.dkim_keys.all() if not key.waits)
    assert (
        "also on mail that is still on its way"
        in http.get(f"/domains/{row.pk}/keys/{former.selector}/revoke").content.decode()
    )
    status, text = press(http, maple, f"keys/{former.selector}/revoke")
    assert status == 422 and "kept with the event" in text
    status, text = press(http, maple, f"keys/{former.selector}/revoke", reason="no mail is on its way")
    assert status == 200 and "Revoked: publish it empty" in text
    status, text = press(http, maple, "keys/schedule", rotate_days="7", keep_days="14")
    assert status == 422 and "every 30 to 730 days" in text
    status, text = press(http, maple, "keys/schedule", rotate_days="180", keep_days="14")
    assert status == 200 and "The schedule of the keys is kept" in text


def test_a_policy_is_chosen_and_its_record_shown(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    http = at_desk("administrator")
    status, text = press(http, maple, "policy", mode="enforce", mx="", max_age="604800")
    assert status == 422 and "Name the mail servers" in text
    status, text = press(http, maple, "policy", mode="enforce", mx="mx.maple.test\n*.mail.test", max_age="604800")
    assert status == 200 and "v=STSv1; id=2" in text
    with scope.organisation(maple.pk):
        assert StsPolicy.objects.get(domain="maple.test").text == (
            "version: STSv1\r\nmode: enforce\r\nmx: mx.maple.test\r\nmx: *.mail.test\r\nmax_age: 604800\r\n"
        )
    press(http, maple, "policy", mode="", mx="", max_age="604800")
    assert not StsPolicy.objects.exists()


def test_the_rules_of_providers_say_met_not_met_or_not_to_be_known(
    maple: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    http = at_desk("administrator")
    [row] = select.domains(maple.pk)
    before = http.get(f"/domains/{row.pk}/rules").content.decode()
    assert "DNS was not asked yet" in before and "Cannot be known from here" in before
    press(http, maple)
    after = http.get(f"/domains/{row.pk}/rules").content.decode()
    assert "Not met" in after and "Postmaster Tools" in after and "Yahoo and AOL" in after
