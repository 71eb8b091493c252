"""The API is reached under a name of its own, which the console does not have (docs/sendgrid.md: host="https://mail…")."""

import http.client
import json
from typing import Any

import pytest

from carepost.tenancy.models import Organisation
from tests.support.front import key, listener, maple
from tests.support.live import LiveHttp
from tests.support.workbench import in_this_process

__all__ = ["in_this_process", "listener", "maple"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])


def ask(listener: LiveHttp, path: str, key: str, host: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=30)
    connection.request("GET", path, headers={"Host": host, "Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


@pytest.mark.parametrize("host", ["mail.clinic.example", "mail.clinic.example:8443", "192.0.2.7", "a_b", ""])
def test_the_office_answers_under_any_name(maple: Organisation, listener: LiveHttp, host: str) -> None:
    mine = key(maple, "suppressions", "templates", "jobs")
    assert ask(listener, "/api/v1/jobs", mine, host)[0] == 200
    assert ask(listener, "/v3/suppression/bounces", mine, host) == (200, [])
    status, pages = ask(listener, "/v3/templates?page_size=5", mine, host)
    assert status == 200
    if host.startswith("mail."):
        assert pages["_metadata"]["self"] == f"http://{host}/v3/templates?page_size=5"
