"""SendGrid's official Python and Node libraries at `/v3/suppression`, `/v3/asm` and `/v3/templates`: through an
engine's listener and its relay to the office, with host and key changed alone."""

import json
import subprocess
import uuid
from pathlib import Path

import pytest
from python_http_client.exceptions import BadRequestsError, ForbiddenError, NotFoundError
from sendgrid import SendGridAPIClient

from carepost.tenancy.actions import suppression
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from tests.support.front import key, listener, maple
from tests.support.live import LiveHttp
from tests.support.workbench import in_this_process

__all__ = ["in_this_process", "listener", "maple"]
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])


def test_the_python_library(maple: Organisation, listener: LiveHttp) -> None:
    for address, reason in (("gone@patient.test", "bounce"), ("full@patient.test", "soft-bounces")):
        suppression.suppress(maple.pk, address, actor=BOOTSTRAP, reason=reason)
    sg = SendGridAPIClient(key(maple, "suppressions", "templates"), host=listener.url).client
    listed = sg.suppression.bounces.get(query_params={"start_time": 1, "limit": 10, "offset": 0})
    assert listed.status_code == 200 and [one["email"] for one in json.loads(listed.body)] == ["gone@patient.test"]
    assert json.loads(sg.suppression.bounces._("gone@patient.test").get().body)[0]["created"]
    assert sg.suppression.blocks.delete(request_body={"delete_all": True, "emails": []}).status_code == 204
    assert json.loads(sg.suppression.blocks.get().body) == []
    params = {"email_address": "gone@patient.test"}
    assert sg.suppression.bounces._("gone@patient.test").delete(query_params=params).status_code == 204
    with pytest.raises(NotFoundError):
        sg.suppression.bounces._("gone@patient.test").delete()
    people = {"recipient_emails": ["ann@patient.test"]}
    assert sg.asm.suppressions._("global").post(request_body=people).status_code == 201
    found = sg.asm.suppressions._("global")._("ann@patient.test").get()
    assert json.loads(found.body) == {"recipient_email": "ann@patient.test"}
    assert sg.asm.groups._(2).suppressions.post(request_body=people).status_code == 201
    assert json.loads(sg.asm.groups._(2).suppressions.get().body) == ["ann@patient.test"]
    assert sg.asm.groups._(2).suppressions._("ann@patient.test").delete().status_code == 204
    made = json.loads(sg.templates.post(request_body={"name": "Reminder", "generation": "dynamic"}).body)
    version = {"active": 1, "name": "first", "subject": "{{subject}}", "html_content": "<p>{{body}}</p>",
               "plain_content": "{{body}}", "template_id": made["id"]}  # fmt: skip
    at = sg.templates._(made["id"])
    one = json.loads(at.versions.post(request_body=version).body)
    assert one["html_content"] == "<p>{{body}}</p>" and one["active"] == 1
    assert json.loads(at.versions._(one["id"]).patch(request_body={"name": "other"}).body)["name"] == "other"
    assert at.versions._(one["id"]).activate.post().status_code == 200
    assert [t["id"] for t in json.loads(sg.templates.get(query_params={"page_size": 5}).body)["result"]] == [made["id"]]
    with pytest.raises(BadRequestsError) as refused:
        at.versions.post(request_body={**version, "subject": "{{formatDate day}}"})
    assert refused.value.to_dict["errors"][0]["field"] == "subject"
    assert at.delete().status_code == 204
    with pytest.raises(ForbiddenError):
        SendGridAPIClient(key(maple, "messages"), host=listener.url).client.suppression.bounces.get()
    with pytest.raises(NotFoundError) as absent:
        sg.alerts.get()
    assert absent.value.to_dict["errors"][0]["message"]


_NODE = """
const client = require("@sendgrid/client");
const asked = JSON.parse(process.argv[2]);
client.setApiKey(asked.key);
client.setDefaultRequest("baseUrl", asked.url);
const ask = async (method, url, more) => {
  const [answer, body] = await client.request({ method, url, ...more });
  return [answer.statusCode, body];
};
(async () => {
  const said = {};
  said.bounces = await ask("GET", "/v3/suppression/bounces", { qs: { limit: 5 } });
  said.off = await ask("DELETE", "/v3/suppression/bounces", { body: { emails: ["gone@patient.test"] } });
  said.global = await ask("POST", "/v3/asm/suppressions/global", { body: { recipient_emails: ["ann@patient.test"] } });
  said.made = await ask("POST", "/v3/templates", { body: { name: "Reminder", generation: "dynamic" } });
  said.version = await ask("POST", `/v3/templates/${said.made[1].id}/versions`, { body: {
    name: "first", subject: "Visit", html_content: "<p>{{#each days}}{{this}}{{/each}}</p>", active: 1 } });
  try { await ask("DELETE", "/v3/suppression/bounces/gone@patient.test"); }
  catch (error) { said.refused = [error.code, error.response.body.errors]; }
  console.log(JSON.stringify(said));
})().catch((error) => { console.error(error.message, error.response && error.response.body); process.exit(1); });
"""


@pytest.mark.peers
def test_the_node_library(maple: Organisation, listener: LiveHttp, tmp_path: Path) -> None:
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", tmp_path, "@sendgrid/client@8"],
        check=True, timeout=200, capture_output=True,
    )  # fmt: skip
    (tmp_path / "ask.js").write_text(_NODE)
    suppression.suppress(maple.pk, "gone@patient.test", actor=BOOTSTRAP, reason="bounce")
    asked = json.dumps({"url": listener.url, "key": key(maple, "suppressions", "templates")})
    done = subprocess.run(
        ["node", tmp_path / "ask.js", asked], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [one["email"] for one in said["bounces"][1]] == ["gone@patient.test"] and said["off"][0] == 204
    assert said["global"] == [201, {"recipient_emails": ["ann@patient.test"]}]
    assert said["version"][0] == 201 and "{{#each days}}" in said["version"][1]["html_content"]
    assert said["refused"][0] == 404 and said["refused"][1][0]["message"]
    assert str(uuid.UUID(said["version"][1]["id"])) == said["version"][1]["id"]
