"""Getting in: one-time link, password, second factor; nothing before it (HS-37), lock-out (HS-09), headers (HS-20)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from carepost.console import views_people
from carepost.tenancy.actions import staff
from carepost.tenancy.models import Organisation, SignInLink, Staff
from carepost.tenancy.permissions import BOOTSTRAP, Permission
from tests.support.desk import PASSWORD, code_now, person, seated
from tests.support.mailroom import happened

PAGES = ["/", "/messages", "/health", "/people", "/first-run"]


@pytest.fixture(autouse=True)
def _no_limits_left_over() -> None:
    cache.clear()


def post(http: Client, path: str, page: str = "", **fields: str) -> Any:
    shown = http.get(page or path).content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown)
    assert found, f"no form on {page or path}"
    return http.post(path, {"csrfmiddlewaretoken": found[1], **fields})


def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def test_the_link_is_used_by_a_post_only_and_once(maple: Organisation) -> None:
    """Law 11."""
    invited = staff.add_staff(maple.pk, "ada@maple.test", "Ada Heron", "administrator", actor=BOOTSTRAP)
    for _ in range(3):
        assert "ada@maple.test" in browser().get(invited.path).content.decode()
    assert not SignInLink.objects.get().used_at
    http = browser()
    assert post(http, invited.path, password="short", again="short").status_code == 422
    assert post(http, invited.path, password=PASSWORD, again="other words entirely").status_code == 422
    assert post(http, invited.path, password=PASSWORD, again=PASSWORD).status_code == 302
    gone = browser().get(invited.path)
    assert gone.status_code == 404
    assert "This link does not work" in gone.content.decode()
    assert "sign in with that password" in gone.content.decode(), "whoever used it need not ask anybody"
    assert browser().get("/welcome/nonsense").status_code == 404


def test_the_link_signs_in_and_nothing_is_typed_twice(maple: Organisation) -> None:
    """HS-37 stays: before a factor stands only enrolment is open, and whose factor stands proves it once more before it
    changes."""
    invited = staff.add_staff(maple.pk, "ada@maple.test", "Ada Heron", "administrator", actor=BOOTSTRAP)
    http = browser()
    assert post(http, invited.path, password=PASSWORD, again=PASSWORD).status_code == 302
    assert http.get("/messages").headers["Location"] == "/security"
    assert "scan this picture" in http.get("/security/app").content.decode().lower()
    enrolled = seated(person(maple, "administrator", "ben@maple.test"))
    assert enrolled.get("/security/app/remove").headers["Location"].startswith("/sign-in/confirm")


def test_each_role_begins_at_a_page_that_is_there(maple: Organisation) -> None:
    assert seated(person(maple, "sender", "sen@maple.test")).get("/").headers["Location"] == "/write"
    assert seated(person(maple, "auditor", "aud@maple.test")).get("/").status_code == 200


def test_a_second_administrator_is_no_auditor(maple: Organisation) -> None:
    person(maple, "auditor")
    page = seated(person(maple, "administrator")).get("/first-run").content.decode()
    assert "1 administrator works here. Who loses phone and key has nobody here to let them in again." in page


def test_password_then_code_then_console(maple: Organisation) -> None:
    person(maple, "administrator", "ada@maple.test")
    http = browser()
    first = post(http, "/sign-in", login="ada@maple.test", password=PASSWORD)
    assert first.headers["Location"] == "/sign-in/second"
    # not in yet
    assert http.get("/messages").headers["Location"].startswith("/sign-in")
    assert post(http, "/sign-in/second", code="000000").status_code == 200
    done = post(http, "/sign-in/second", code=code_now())
    assert done.status_code == 302
    assert http.get("/").status_code == 200


def test_a_code_of_the_neighbouring_half_minute_is_taken_once_and_no_older_one(maple: Organisation) -> None:
    """RFC 6238 5.2: whoever types while the code changes gets in; what was read over a shoulder does not keep."""
    person(maple, "administrator", "ada@maple.test")
    http = browser()
    post(http, "/sign-in", login="ada@maple.test", password=PASSWORD)
    assert post(http, "/sign-in/second", code=code_now(steps=-3)).status_code == 200
    assert post(http, "/sign-in/second", code=code_now(steps=3)).status_code == 200
    code = code_now(steps=1)
    assert post(http, "/sign-in/second", code=code).status_code == 302
    again = browser()
    post(again, "/sign-in", login="ada@maple.test", password=PASSWORD)
    assert post(again, "/sign-in/second", code=code).status_code == 200


def test_without_a_second_factor_only_enrolment_is_open(maple: Organisation) -> None:
    invited = staff.add_staff(maple.pk, "ada@maple.test", "Ada Heron", "administrator", actor=BOOTSTRAP)
    staff.use_link(invited.token, PASSWORD)
    http = browser()
    post(http, "/sign-in", login="ada@maple.test", password=PASSWORD)
    for path in PAGES:
        assert http.get(path).headers["Location"] == "/security"
    page = http.get("/security").content.decode()
    assert "Set up a second factor to go on" in page
    assert "Set up an app" in http.get("/security").content.decode()


def test_nobody_gets_in_without_signing_in() -> None:
    http = browser()
    assert http.get("/").headers["Location"].startswith("/sign-in")
    for path in PAGES[1:]:
        assert http.get(path).headers["Location"] == f"/sign-in?next={path}"
    for path in ("/signup", "/accounts/signup/", "/password/reset/", "/accounts/password/reset/", "/admin/"):
        assert http.get(path).status_code == 404


def test_wrong_passwords_lock_also_the_right_one(maple: Organisation) -> None:
    """HS-09."""
    person(maple, "operator", "olga@maple.test")
    http = browser()
    for _ in range(6):
        answer = post(http, "/sign-in", login="olga@maple.test", password="wrong words here")
    last = post(http, "/sign-in", login="olga@maple.test", password=PASSWORD)
    assert last.status_code in (200, 429)
    assert "sign-in/second" not in last.headers.get("Location", "")
    assert answer.status_code in (200, 429)


def test_the_answer_does_not_tell_who_exists(maple: Organisation) -> None:
    person(maple, "operator", "olga@maple.test")
    said = []
    for login in ("olga@maple.test", "nobody@maple.test"):
        page = post(browser(), "/sign-in", login=login, password="wrong words here").content.decode()
        said.append(re.findall(r'role="alert">(.*?)</div>', page, re.DOTALL))
    assert said[0] == said[1] != []


def test_signing_out_is_a_post(maple: Organisation) -> None:
    http = seated(person(maple, "operator"))
    assert http.get("/sign-out").status_code == 200
    assert http.get("/health").status_code == 200
    assert post(http, "/sign-out").status_code == 302
    assert http.get("/health").headers["Location"].startswith("/sign-in")


def test_a_redirect_elsewhere_is_not_followed(maple: Organisation) -> None:
    """BI-095: `?next=//evil`."""
    person(maple, "administrator", "ada@maple.test")
    http = browser()
    http.get("/sign-in?next=//evil.test/")
    post(http, "/sign-in", "/sign-in?next=//evil.test/", login="ada@maple.test", password=PASSWORD, next="//evil.test/")
    done = post(http, "/sign-in/second", code=code_now())
    assert "evil" not in done.headers["Location"]


@pytest.mark.parametrize(
    "path", ["/", "/messages", "/health", "/people", "/first-run", "/help", "/security", "/sign-in"]
)
def test_pages_are_not_kept_framed_or_told_elsewhere(
    path: str, at_desk: Callable[..., Client], monkeypatch: Any, door: Any
) -> None:
    from carepost.console import records

    monkeypatch.setattr(records, "find", lambda *a, **k: records.Page(()))
    door.health = list
    http = Client() if path == "/sign-in" else at_desk("administrator")
    shown = http.get(path)
    assert shown.status_code == 200
    assert shown.headers["X-Frame-Options"] == "DENY"
    assert "no-store" in shown.headers["Cache-Control"]
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = shown.content.decode()
    assert not re.search(r'(?:src|href|action)="https?://', text)
    assert not re.search(r"<[a-z][^>]*\s(?:on[a-z]+|style)=", text)
    assert re.search(r"<html lang=\"en\"", text)
    assert text.count("<h1") == 1


def test_people_are_shown_disabled_and_given_links(maple: Organisation, harbour: Organisation) -> None:
    ada = person(maple, "administrator", "ada@maple.test", "Ada Heron")
    olga = person(maple, "operator", "olga@maple.test", "Olga Rail")
    hal = person(harbour, "administrator", "hal@harbour.test", "Hal Plover")
    http = seated(ada)
    page = http.get("/people").content.decode()
    assert "Olga Rail" in page
    assert "Hal Plover" not in page
    made = post(http, f"/people/{olga.pk}/link", f"/people/{olga.pk}", reason="lost her telephone")
    assert "/welcome/" in made.content.decode()
    assert seated(Staff.objects.get(pk=olga.pk)).get("/health").headers["Location"] == "/security"
    # no reason, no act; another organisation's people are not there
    assert post(http, f"/people/{olga.pk}/disable", "/people").status_code in (400, 422)
    assert post(http, f"/people/{hal.pk}/disable", "/people", reason="x").status_code == 404
    assert post(http, f"/people/{olga.pk}/disable", "/people", reason="left").status_code == 302
    assert seated(Staff.objects.get(pk=olga.pk)).get("/health").headers["Location"].startswith("/sign-in")
    # an operator does neither
    other = seated(person(maple, "operator", "otto@maple.test"))
    assert {other.get(path).status_code for path in ("/people", "/people/new", f"/people/{ada.pk}")} == {404}


def test_the_table_of_roles_names_every_permission() -> None:
    assert set(views_people._WORDS) == set(Permission)


def test_somebody_is_added_and_their_roles_change(maple: Organisation, harbour: Organisation) -> None:
    ada = person(maple, "administrator", "ada@maple.test", "Ada Heron")
    hal = person(harbour, "administrator", "hal@harbour.test", "Hal Plover")
    http = seated(ada)
    fields = {"name": "Nia Wren", "email": "nia@maple.test", "role": "sender"}
    wrong = post(http, "/people/new", "/people/new", **{**fields, "email": "nobody"})
    assert wrong.status_code == 422 and "Nia Wren" in wrong.content.decode()
    made = post(http, "/people/new", "/people/new", **fields).content.decode()
    link = re.search(r"/welcome/[\w-]+", made)
    assert link is not None and Client().get(link[0]).status_code == 200
    assert "works here already" in post(http, "/people/new", "/people/new", **fields).content.decode()
    nia = Staff.objects.get(email="nia@maple.test")
    at = f"/people/{nia.pk}"
    changed = post(http, at, at, roles=["operator", "auditor"], reason="on the desk now")
    assert changed.status_code == 302
    page = http.get(at).content.decode()
    assert [
        f'value="{role}"' in page and f'value="{role}" checked' in re.sub(r' class="[^"]*"| id="[^"]*"', "", page)
        for role in ("operator", "auditor")
    ] == [True, True]
    assert post(http, at, at, roles=[], reason="x").status_code == 422
    assert post(http, at, at, roles=["sender"]).status_code == 422, "a reason is asked for"
    own = post(http, f"/people/{ada.pk}", at, roles=["sender"], reason="a rest")
    assert own.status_code == 422 and "administrator" in own.content.decode(), "the last administrator stays one"
    assert post(http, f"/people/{hal.pk}", at, roles=["sender"], reason="x").status_code == 404
    assert {e.kind for e in happened(maple.pk)} >= {"staff.added", "role.granted", "role.revoked"}


def test_an_administrator_decides_at_first_run(maple: Organisation, harbour: Organisation) -> None:
    http = seated(person(maple, "administrator"))
    page = http.get("/first-run").content.decode()
    assert "5 of 8 steps are done" in page or "4 of 8 steps are done" in page
    fields = {"notice_name": "Maple Desk", "phone": "555-0188", "portal_url": "https://portal.maple.test",
              "auditor": "audit@elsewhere.test", "reason": "first run"}  # fmt: skip
    assert post(http, "/first-run/settings", "/first-run", **fields).status_code == 302
    maple.refresh_from_db()
    assert (maple.notice_name, maple.auditor) == ("Maple Desk", "audit@elsewhere.test")
    wrong = post(http, "/first-run/settings", "/first-run", **{**fields, "auditor": "not an address"})
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.content.decode()
    before = maple.policy_version
    assert post(http, "/first-run/portal-by-mail", "/first-run", on="0", reason="we agree codes").status_code == 302
    maple.refresh_from_db()
    assert maple.policy_version != before
    assert "It is <strong>off</strong>" in http.get("/first-run").content.decode()
    told = happened(maple.pk)
    assert {"org.changed"} <= {e.kind for e in told}
    assert "first run" not in repr(told)
    assert happened(harbour.pk, "org.changed") == []
    # an operator does neither
    other = seated(person(maple, "operator", "otto@maple.test"))
    for path in ("/first-run/settings", "/first-run/portal-by-mail"):
        assert post(other, path, "/sign-out", **fields).status_code == 404


def test_the_first_run_list_leads_to_pages_not_to_a_shell_alone(maple: Organisation) -> None:
    http = seated(person(maple, "administrator"))
    page = http.get("/first-run").content.decode()
    assert '<a class="cs-link" href="/people/new">Add a person</a>' in page
    assert '<a class="cs-link" href="#settings-title">Fill it in below</a>' in page
    for anchor in re.findall(r'class="cs-link" href="#([^"]+)"', page):
        assert page.count(f'id="{anchor}"') == 1


def test_an_address_that_only_takes_a_form_leads_to_the_page_above_it(maple: Organisation) -> None:
    """After a refusal "Go back" leads there, and so does a reload; it was an empty page."""
    ada = person(maple, "administrator")
    http = seated(ada)
    for path, above in (
        (f"/people/{ada.pk}/disable", f"/people/{ada.pk}"), ("/held/decide", "/held"), ("/jobs/new", "/jobs"),
        (f"/messages/{ada.pk}/deliveries/{ada.pk}/act", f"/messages/{ada.pk}"), ("/write/look", "/write"),
    ):  # fmt: skip
        answer = http.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, above)
    refused = post(http, f"/people/{ada.pk}/disable", f"/people/{ada.pk}", reason="")
    assert refused.status_code in (409, 422)
    assert "Go back" in refused.content.decode()
    assert http.put("/held/decide").status_code in (403, 405)


def test_a_one_time_link_asked_for_twice_on_one_page_is_one_link(maple: Organisation) -> None:
    """A second click on the inviting form, and a reload of the page that shows the link."""
    http = seated(person(maple, "administrator"))

    def marked(path: str) -> dict[str, str]:
        page = http.get(path).content.decode()
        return dict(re.findall(r'name="(csrfmiddlewaretoken|page)" value="([^"]+)"', page))

    def opens(answer: Any) -> int:
        link = re.search(r"/welcome/[\w-]+", answer.content.decode())
        return Client().get(link[0]).status_code if link else 0

    form = {**marked("/people/new"), "name": "Nia Wren", "email": "nia@maple.test", "role": "sender"}
    first, again = http.post("/people/new", form), http.post("/people/new", form)
    assert (again.status_code, opens(again)) == (409, 0)
    assert "added already" in again.content.decode() and "make a new one" in again.content.decode()
    assert opens(first) == 200
    nia = Staff.objects.get(email="nia@maple.test")
    form = {**marked(f"/people/{nia.pk}"), "reason": "lost her telephone"}
    second, again = http.post(f"/people/{nia.pk}/link", form), http.post(f"/people/{nia.pk}/link", form)
    assert (again.status_code, opens(again)) == (409, 0)
    assert opens(second) == 200, "the link that was shown is not ended by a reload"
    assert opens(first) == 404
    assert [e.kind for e in happened(maple.pk)].count("staff.link-made") == 1


def test_a_form_of_an_old_page_answers_with_a_whole_page_and_a_way_on(maple: Organisation) -> None:
    ada = person(maple, "administrator")
    http = Client(enforce_csrf_checks=True)
    http.cookies = seated(ada).cookies
    for client in (http, Client(enforce_csrf_checks=True)):
        stale = client.post("/people/new", {"csrfmiddlewaretoken": "old", "name": "Nia <b>Wren"})
        shown = stale.content.decode()
        assert stale.status_code == 403 and stale.headers["Content-Type"].startswith("text/html")
        assert "Nothing was done" in shown and "open too long" in shown and "</html>" in shown
        assert 'href="/people/new"' in shown and "Wren" not in shown
    assert not Staff.objects.filter(name__contains="Wren").exists()
