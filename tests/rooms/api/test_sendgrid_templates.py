"""SendGrid's `/v3/templates` and versions: its shapes over our templates, Handlebars in and the same Handlebars out."""

import json
import uuid
from typing import Any

import pytest

from carepost.templates import select
from carepost.wire.types import Actor
from tests.support.outbox import office_events
from tests.support.workbench import in_this_process

__all__ = ["in_this_process"]
pytestmark = pytest.mark.django_db(databases=["default", "records"])

VISIT = {
    "name": "spring", "subject": "Visit of {{name}}", "html_content": "<p>Dear {{name}},{{#if late}} hurry{{/if}}</p>",
    "generate_plain_content": True, "editor": "code", "test_data": '{"name": "Ann"}',
}  # fmt: skip


class Wire:
    def __init__(self, machine: Any) -> None:
        self.machine = machine

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        raw = b"" if body is None else json.dumps(body).encode()
        answer = self.machine.http.generic(
            method, f"/v3{path}", raw, content_type="application/json", headers=self.machine._key()
        )
        return answer.status_code, answer.json() if answer.content else None


@pytest.fixture
def wire(machine: Any) -> Any:
    return lambda *scopes, org=None: Wire(machine(*scopes, org=org))


@pytest.fixture
def asking(wire: Any) -> Wire:
    found: Wire = wire("templates")
    return found


@pytest.fixture
def template(asking: Wire) -> dict[str, Any]:
    status, made = asking.ask("POST", "/templates", {"name": "Reminder", "generation": "dynamic"})
    assert status == 201 and made["versions"] == [] and made["generation"] == "dynamic" and made["id"][:2] == "d-"
    assert set(made) == {"id", "name", "generation", "updated_at", "versions"}
    return dict(made)


def test_null_says_no_more_than_leaving_out(asking: Wire) -> None:
    """As in a mail; what must be there is missing all the same."""
    status, made = asking.ask("POST", "/templates", {"name": "Reminder", "generation": None})
    assert status == 201, made
    given = VISIT | {"plain_content": None, "active": None, "template_id": None, "test_data": None}
    status, made = asking.ask("POST", f"/templates/{made['id']}/versions", given)
    assert status == 201 and made["test_data"] == "", made
    status, answer = asking.ask("POST", "/templates", {"name": None})
    assert status == 400 and answer["errors"]
    assert asking.ask("POST", "/templates", {"name": "x", "other": [None]})[0] == 400


def mail_of(cast: Any, template: str, variables: dict[str, object]) -> str:
    """What the engine would make now."""
    org = uuid.UUID(bytes=cast.maple)
    found = select.rendered(org, uuid.UUID(template[2:]), Actor("system", "test"), json.dumps(variables).encode())
    return f"{found.subject}|{found.html}|{found.text.strip()}"


def test_a_version_is_made_read_back_as_written_and_sent_as_meant(
    asking: Wire, template: dict[str, Any], cast: Any
) -> None:
    at = f"/templates/{template['id']}/versions"
    status, made = asking.ask("POST", at, VISIT)
    assert status == 201 and made["template_id"] == template["id"]
    # the first is active whatever is said
    assert {name: made[name] for name in VISIT} == VISIT and made["active"] == 1 and made["warnings"] == []
    assert asking.ask("GET", f"{at}/{made['id']}") == (200, made)
    assert asking.ask("GET", f"/templates/{template['id']}")[1]["versions"] == [made]
    assert mail_of(cast, template["id"], {"name": "J <b>"}) == ("Visit of J <b>|<p>Dear J &lt;b&gt;,</p>|Dear J <b>,")
    assert "hurry" in mail_of(cast, template["id"], {"name": "Jo", "late": 1})
    assert [len(office_events(kind)) for kind in ("template.added", "template.version-added")] == [1, 1]


def test_a_version_is_changed_under_its_id_and_another_made_active(
    asking: Wire, template: dict[str, Any], cast: Any
) -> None:
    at = f"/templates/{template['id']}/versions"
    first = asking.ask("POST", at, VISIT)[1]
    second = asking.ask("POST", at, {"name": "plain", "subject": "S", "plain_content": "Hi {{name}}"})[1]
    assert (first["active"], second["active"]) == (1, 0)
    changed = asking.ask("PATCH", f"{at}/{first['id']}", {"subject": "New {{name}}"})[1]
    assert (changed["id"], changed["subject"], changed["active"]) == (first["id"], "New {{name}}", 1)
    assert changed["html_content"] == VISIT["html_content"]
    assert mail_of(cast, template["id"], {"name": "Jo"}).startswith("New Jo|")
    assert asking.ask("POST", f"{at}/{second['id']}/activate")[1]["active"] == 1
    assert mail_of(cast, template["id"], {"name": "Jo"}) == "S||Hi Jo"
    shown = asking.ask("GET", f"/templates/{template['id']}")[1]["versions"]
    assert {one["id"]: one["active"] for one in shown} == {first["id"]: 0, second["id"]: 1}
    # not active: a change makes it no more so, unless it says so
    asking.ask("PATCH", f"{at}/{first['id']}", {"name": "other"})
    assert mail_of(cast, template["id"], {"name": "Jo"}) == "S||Hi Jo"
    asking.ask("PATCH", f"{at}/{first['id']}", {"active": 1})
    assert mail_of(cast, template["id"], {"name": "Jo"}).startswith("New Jo|")
    assert asking.ask("PATCH", f"{at}/{first['id']}", {"active": 0})[0] == 400


def test_versions_and_templates_are_removed_copied_and_renamed(asking: Wire, template: dict[str, Any]) -> None:
    at = f"/templates/{template['id']}"
    one = asking.ask("POST", f"{at}/versions", VISIT)[1]
    asking.ask("POST", f"{at}/versions", {**VISIT, "name": "autumn"})
    status, copied = asking.ask("POST", at, {"name": "Copy"})
    assert status == 201 and copied["id"] != template["id"]
    assert [(v["name"], v["active"], v["html_content"]) for v in copied["versions"]] == [
        ("autumn", 0, VISIT["html_content"]), ("spring", 1, VISIT["html_content"]),
    ]  # fmt: skip
    assert asking.ask("POST", at, {})[1]["name"] == "Reminder (copy)"
    assert asking.ask("PATCH", at, {"name": "Visit"})[1]["name"] == "Visit"
    assert asking.ask("DELETE", f"{at}/versions/{one['id']}") == (204, None)
    assert asking.ask("GET", f"{at}/versions/{one['id']}")[0] == 404
    assert [v["active"] for v in asking.ask("GET", at)[1]["versions"]] == [0]
    assert asking.ask("DELETE", at) == (204, None) and asking.ask("GET", at)[0] == 404
    assert len(office_events("template.version-removed")) == 1


def test_pages_of_templates(asking: Wire) -> None:
    for number in range(5):
        asking.ask("POST", "/templates", {"name": f"T{number}"})
    status, first = asking.ask("GET", "/templates?generations=dynamic&page_size=3")
    assert status == 200 and [one["name"] for one in first["result"]] == ["T4", "T3", "T2"]
    assert first["_metadata"]["count"] == 5 and "/v3/templates?" in first["_metadata"]["next"]
    rest = asking.ask("GET", first["_metadata"]["next"].partition("/v3")[2] + "&generations=legacy,dynamic")[1]
    assert [one["name"] for one in rest["result"]] == ["T1", "T0"] and "next" not in rest["_metadata"]
    assert len(asking.ask("GET", "/templates")[1]["templates"]) == 5
    assert asking.ask("GET", "/templates?generations=legacy&page_size=9")[1]["result"] == []
    for wrong in ("generations=other", "page_size=201", "page_size=0", "page_size=x", "unheard=1"):
        assert asking.ask("GET", f"/templates?{wrong}")[0] == 400


def test_what_is_written_here_is_shown_there_and_changed_here(asking: Wire, machine: Any) -> None:
    source = {"subject": "Visit of {{ name }}", "html": "<p>{{ name | upcase }}</p>"}
    made = machine("templates").post("/templates", {"name": "Own", "source": source}).json()
    shown = asking.ask("GET", f"/templates/{made['id']}")[1]
    [version] = shown["versions"]
    assert version["html_content"] == source["html"] and "Liquid" in version["warnings"][0]["message"]
    at = f"/templates/{shown['id']}/versions/{version['id']}"
    assert asking.ask("PATCH", at, {"subject": "x"})[0] == 400 and asking.ask("DELETE", at)[0] == 400
    assert asking.ask("POST", f"{at}/activate")[1]["active"] == 1
    # and the other way: the own API knows what was written there as Liquid
    asking.ask("POST", f"/templates/{shown['id']}/versions", {**VISIT, "active": 1})
    found = machine("templates").get(f"/templates/{made['id']}").json()
    assert found["number"] == 2 and found["source"]["subject"] == "Visit of {{ name }}"


def test_a_template_without_a_version_says_so(asking: Wire, template: dict[str, Any], machine: Any) -> None:
    own = machine("templates")
    at = f"/templates/{uuid.UUID(template['id'][2:])}"
    assert own.get(at).json()["number"] == 0 and own.get("/templates").json()["templates"][0]["active"] == 0
    assert own.post(f"{at}/render", {}).status_code == 404


def test_what_cannot_be_carried_over_is_refused_with_what_to_do(asking: Wire, template: dict[str, Any]) -> None:
    at = f"/templates/{template['id']}/versions"
    for change, field in (
        ({"html_content": "<p>\n{{formatDate day 'MM'}}</p>"}, "html_content"), ({"subject": "{{#with a}}"}, "subject"),
        ({"plain_content": "{{> head}}", "generate_plain_content": False}, "plain_content"),
        ({"html_content": ""}, "html_content"), ({"html_content": "{{#if a}}"}, "html_content"),
    ):  # fmt: skip
        status, answer = asking.ask("POST", at, {**VISIT, **change})
        [error] = answer["errors"]
        assert (status, error["field"]) == (400, field) and len(error["message"]) > 15
    assert (
        "line 2" in asking.ask("POST", at, {**VISIT, "html_content": "x\n{{formatDate d}}"})[1]["errors"][0]["message"]
    )
    for wrong in ({**VISIT, "unheard": 1}, {"name": "x"}, {**VISIT, "active": 2}):
        assert asking.ask("POST", at, wrong)[0] == 400
    assert asking.ask("POST", "/templates", {"name": "Old", "generation": "legacy"})[1]["errors"][0]["field"] == (
        "generation"
    )
    assert asking.ask("POST", "/templates", {"name": "Reminder"})[0] == 400
    assert asking.ask("GET", f"/templates/{template['id']}")[1]["versions"] == []


def test_another_organisations_and_absent_ones_are_the_same_404(
    asking: Wire, template: dict[str, Any], wire: Any, cast: Any
) -> None:
    version = asking.ask("POST", f"/templates/{template['id']}/versions", VISIT)[1]
    stranger = wire("templates", org=cast.harbour)
    absent = stranger.ask("GET", f"/templates/d-{uuid.uuid4().hex}")
    assert absent[0] == 404
    one = f"/templates/{template['id']}/versions/{version['id']}"
    for method, path, body in (
        ("GET", f"/templates/{template['id']}", None), ("DELETE", f"/templates/{template['id']}", None),
        ("PATCH", f"/templates/{template['id']}", {"name": "x"}), ("POST", f"/templates/{template['id']}", {}),
        ("POST", f"/templates/{template['id']}/versions", VISIT), ("GET", one, None), ("DELETE", one, None),
        ("PATCH", one, {"name": "x"}), ("POST", f"{one}/activate", None), ("GET", "/templates/nonsense", None),
    ):  # fmt: skip
        answer = stranger.ask(method, path, body)
        assert answer[0] == 404 and set(answer[1]["errors"][0]) == {"message", "field", "help"}
    assert wire("messages").ask("GET", "/templates")[0] == 403
