"""Comparing one of our domains with DNS: by a button, whose, by whom."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from carepost.rfc.asking import FAILED, Found, Question
from carepost.tenancy import select
from carepost.tenancy.models import Organisation

pytestmark = pytest.mark.django_db(databases=["default", "records"])


class Engine:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    def ask(self, question: Question) -> Found:
        self.asked.append(question.name)
        if self.away:
            return FAILED
        return Found(texts=(b"v=DMARC1; p=<b>reject",)) if question.name.startswith("_dmarc.") else Found()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    return made


def press(http: Client, org: Organisation) -> tuple[int, str]:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/help").content.decode())
    assert found is not None
    [row] = select.domains(org.pk)
    answer = http.post(f"/domains/{row.pk}/check", {"csrfmiddlewaretoken": found[1]})
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
    assert (status, "Missing" in text, text.count("Not known now") >= 6) == (200, False, True)


def test_nobody_else_asks_and_a_get_asks_nothing(
    maple: Organisation, harbour: Organisation, at_desk: Callable[..., Client], engine: Engine
) -> None:
    assert press(at_desk("administrator", elsewhere=True), maple)[0] == 404
    assert [press(at_desk(role), maple)[0] for role in ("operator", "auditor", "sender")] == [404, 404, 404]
    [row] = select.domains(maple.pk)
    assert at_desk("administrator").get(f"/domains/{row.pk}/check").status_code == 405
    assert engine.asked == []
