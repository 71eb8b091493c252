"""Templates, as their writers meet them: the list, the form, versions, and the preview in a frame of its own."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.templates.models import Template
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from tests.support.cast import fresh_books
from tests.support.mailroom import KeptDoor
from tests.support.workbench import in_this_process

__all__ = ["fresh_books", "in_this_process"]

pytestmark = [pytest.mark.django_db(databases=["default", "records"]), pytest.mark.usefixtures("log_tables")]

Sit = Callable[..., Client]
MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ name }}</mj-text></mj-column></mj-section></mj-body></mjml>"
)
WRITTEN = {"name": "Reminder", "subject": "Visit of {{ name }}", "kind": "mjml", "body": MJML, "text": "", "note": "",
           "variables": '{"name": "Ann <b>"}'}  # fmt: skip


def post(http: Client, page: str, to: str = "", **data: Any) -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(page).content.decode())
    assert found
    return http.post(to or page, {"csrfmiddlewaretoken": found[1], **data}, follow=True)


def test_a_template_is_written_changed_and_rolled_back(maple: Organisation, at_desk: Sit) -> None:
    http = at_desk("administrator")
    assert "No templates yet" in http.get("/templates").content.decode()
    page = post(http, "/templates/new", **WRITTEN).content.decode()
    with scope.organisation(maple.pk):
        row = Template.objects.get()
    assert "Version 1, active" in re.sub(r"\s+", " ", page) and str(row.pk) in page and "&quot;name&quot;" in page
    at = f"/templates/{row.pk}"
    post(http, at, **{**WRITTEN, "subject": "Come, {{ name }}", "note": "shorter"})
    assert "Version 2, active" in http.get(at).content.decode() and "shorter" in http.get(at).content.decode()
    post(http, at, f"{at}/activate", version="1")
    with scope.organisation(maple.pk):
        row.refresh_from_db()
    assert (row.active, row.newest) == (1, 2)
    assert "Reminder" in http.get("/templates").content.decode()
    post(http, at, f"{at}/remove")
    assert http.get(at).status_code == 404


def test_what_is_wrong_stands_beside_its_field(maple: Organisation, at_desk: Sit) -> None:
    http = at_desk("administrator")
    for changed, words in (
        ({"body": "<mjml>"}, "MJML:"), ({"subject": "{{ a | shout }}"}, "no filter `shout`"),
        ({"variables": "[1]"}, "Write a JSON object"), ({"name": ""}, "Give it a name"),
    ):  # fmt: skip
        answer = post(http, "/templates/new", **{**WRITTEN, **changed})
        assert answer.status_code == 422 and words in answer.content.decode()
    with scope.organisation(maple.pk):
        assert not Template.objects.exists()


def test_it_is_sent_to_whoever_writes_it_and_nothing_is_saved(
    maple: Organisation, at_desk: Sit, door: KeptDoor
) -> None:
    http = at_desk("administrator")
    page = post(http, "/templates/new", **WRITTEN, mail="1").content.decode()
    (sent,) = door.taken
    raw = sent.body.decode()
    assert "[Test] Visit of Ann" in raw and "multipart/alternative" in raw and "Nothing was saved" in page
    assert [one.address for one in sent.envelope.recipients] == [sent.envelope.sender] and sent.actor.kind == "staff"
    assert "{{ name }}" in page, "what was written stays in the form"
    wrong = post(http, "/templates/new", **{**WRITTEN, "variables": "{}"}, mail="1")
    assert wrong.status_code == 422 and "`name` is missing" in wrong.content.decode() and len(door.taken) == 1
    with scope.organisation(maple.pk):
        assert not Template.objects.exists()


def test_a_template_gets_another_name(maple: Organisation, at_desk: Sit) -> None:
    http = at_desk("administrator")
    post(http, "/templates/new", **WRITTEN)
    with scope.organisation(maple.pk):
        row = Template.objects.get()
    page = post(http, f"/templates/{row.pk}", f"/templates/{row.pk}/rename", name="Visit").content.decode()
    assert "called “Visit” now" in page


def test_the_preview_is_a_document_without_power(maple: Organisation, at_desk: Sit) -> None:
    http = at_desk("administrator")
    html = post(http, "/templates/new", "/templates/shown", **WRITTEN)
    assert "Dear Ann &lt;b&gt;" in html.content.decode()
    policy = html.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "script-src" not in policy
    text = post(http, "/templates/new", "/templates/shown", **WRITTEN, part="text").content.decode()
    assert "Visit of Ann &lt;b&gt;" in text and "<pre" in text
    hostile = {**WRITTEN, "kind": "html", "body": "{{ lost }}", "variables": '{"name": "<script>1</script>"}'}
    wrong = post(http, "/templates/new", "/templates/shown", **hostile).content.decode()
    assert "`lost` is missing" in wrong and "<script>" not in wrong
    with scope.organisation(maple.pk):
        assert not Template.objects.exists()


def test_who_may_not_is_told_nothing(maple: Organisation, at_desk: Sit) -> None:
    http = at_desk("auditor")
    for path in ("/templates", "/templates/new", f"/templates/{uuid.uuid4()}"):
        assert http.get(path).status_code in (403, 404)
