"""The policy in the console: rules in words, tried before they are saved, versions with what they changed."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from carepost.archive import books
from carepost.console.rule_form import RuleForm
from carepost.policy.types import Assurance, Rule
from carepost.tenancy import scope
from carepost.tenancy.actions import organisations, policy
from carepost.tenancy.models import Organisation, PolicyVersion
from carepost.tenancy.models import Rule as RuleRow
from carepost.tenancy.names import Wrong
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.types import Actor
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])

DESK = Callable[..., Client]
ENTERED = {
    "name": "partner", "position": "100", "approvals": "1", "recipient_domain": "patient.test",
    "floor": "AUTHENTICATED",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _fresh() -> Any:
    books.book.cache_clear()
    books.opener.cache_clear()
    yield
    books.book.cache_clear()
    books.opener.cache_clear()


def rules(org: Organisation) -> list[Rule]:
    with scope.every("the test's own eyes"):
        return [one.rule for one in policy.rules_of(policy.in_force(Organisation.objects.get(pk=org.pk)))]


def newest(org: Organisation) -> PolicyVersion:
    with scope.every("the test's own eyes"):
        return PolicyVersion.objects.filter(org=org).latest("number")


def post(http: Client, path: str, fields: dict[str, Any], page: str = "/policy") -> Any:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get(page).content.decode())
    assert found is not None
    return http.post(path, {"csrfmiddlewaretoken": found[1], **fields})


def add(org: Organisation, rule: Rule, **more: Any) -> str:
    """The address of its page."""
    policy.add_rule(org.pk, rule, actor=BOOTSTRAP, reason=more.pop("reason", "agreed with Jane"), **more)
    with scope.every("the test's own eyes"):
        row = RuleRow.objects.get(org=org, rule=rule.id, version=newest(org))
        return f"/policy/rules/{row.pk}"


def test_rules_stand_in_words_and_looking_is_an_event(maple: Organisation, at_desk: DESK) -> None:
    add(maple, Rule("jane", recipient="jane@home.test", action="approve", approvals=2, words="Ask the desk."))
    unit = organisations.add_unit(maple.pk, "Heart", actor=BOOTSTRAP)
    add(maple, Rule("heart", setting=True, floor=Assurance.MESSAGE), unit=unit.pk)
    text = at_desk("administrator").get("/policy").content.decode()
    for told in ("jane@home.test", "held until 2 other people approve", "Ask the desk.", "from the unit Heart",
                 "at least MESSAGE", "agreed with Jane"):  # fmt: skip
        assert told in text
    assert len(office_events("rule.listed")) == len(office_events("policy.listed")) == 1


@pytest.mark.parametrize("role", ["operator", "auditor", "sender"])
def test_others_find_no_such_page(maple: Organisation, at_desk: DESK, role: str) -> None:
    address = add(maple, Rule("r", action="hold"))
    http = at_desk(role)
    for path in ("/policy", "/policy/rules/new", address, "/policy/versions/1", "/policy/document"):
        assert http.get(path).status_code == 404
    assert office_events("rule.listed") == office_events("policy.viewed") == []


def test_another_organisations_rule_is_not_there(maple: Organisation, at_desk: DESK) -> None:
    address = add(maple, Rule("r", action="hold"))
    http = at_desk("administrator", elsewhere=True)
    assert http.get(address).status_code == 404
    assert http.get("/policy/versions/2").status_code == 404
    assert post(http, f"{address}/remove", {"do": "save", "reason": "r"}).status_code == 404
    assert "r" in {r.id for r in rules(maple)}


def test_a_rule_is_tried_before_it_is_saved(
    maple: Organisation, at_desk: DESK, log_tables: None, monkeypatch: Any
) -> None:
    outbox = Outbox()
    one, (jane,) = outbox.accepted(maple.pk.bytes, ("jane@patient.test",))
    outbox.sent(maple.pk.bytes, one, jane)
    outbox.commit()
    http, before = at_desk("administrator"), newest(maple).number
    tried = post(http, "/policy/rules/new", {**ENTERED, "do": "try"})
    text = tried.content.decode()
    assert tried.status_code == 200
    assert "<strong>1</strong> would be protected more" in text
    assert "depend on what the history does not keep" not in text
    by_content = {**ENTERED, "floor": "", "levels": ["phi-high"], "action": "hold", "do": "try"}
    may_be = post(http, "/policy/rules/new", by_content).content.decode()
    assert "All of them depend on what the history does not keep" in may_be, (
        "the headline alone would say that all are stopped"
    )
    assert "jane@patient.test" in text
    assert newest(maple).number == before, "nothing changed"
    assert len(office_events("message.listed")) == 2, "each trial is a look"
    unexplained = post(http, "/policy/rules/new", {**ENTERED, "do": "save"})
    assert unexplained.status_code == 422
    assert "Say why the policy changes" in unexplained.content.decode()
    saved = post(http, "/policy/rules/new", {**ENTERED, "do": "save", "reason": "contract"})
    assert (saved.status_code, saved.url) == (302, "/policy")
    made = next(r for r in rules(maple) if r.id == "partner")
    assert made == Rule("partner", recipient_domain="patient.test", floor=Assurance.AUTHENTICATED)
    assert newest(maple).author.startswith("staff:")


def test_every_field_goes_round(maple: Organisation, at_desk: DESK) -> None:
    unit = organisations.add_unit(maple.pk, "Heart", actor=BOOTSTRAP)
    entered = {
        **ENTERED, "unit": str(unit.pk), "direction": "outbound", "sender": "nurse@maple.test", "header": "Subject",
        "contains": "[secure]", "remove": "on", "size_mb": "2.5", "hours": "not mon-fri 08:00-18:00 UTC",
        "tls_policy": "forced", "methods": "smime, TLS", "action": "approve", "approvals": "2", "ask_reason": "on",
        "warn": "on", "words": "Call first.", "redirect": "desk@maple.test", "copies": "a@maple.test, b@maple.test",
        "tags": "vip", "strip_tracking": "on", "category": "transactional", "data_class": "part2",
    }  # fmt: skip
    http = at_desk("administrator")
    assert post(http, "/policy/rules/new", {**entered, "do": "save", "reason": "r"}).status_code == 302
    (made,) = [r for r in rules(maple) if r.id == "partner"]
    assert (made.size_over, made.methods, made.approvals) == (2_500_000, ("smime", "tls"), 2)
    with scope.every("the test's own eyes"):
        row = RuleRow.objects.get(org=maple, rule="partner", version=newest(maple))
    page = http.get(f"/policy/rules/{row.pk}").content.decode()
    for value in ("2.5", "smime, tls", "a@maple.test, b@maple.test", "not mon-fri 08:00-18:00 UTC", "[secure]"):
        assert f'value="{value}"' in page
    content = {**ENTERED, "levels": ["phi-high"], "attachments": ["macro", "infected"], "action": "hold"}
    assert post(http, f"/policy/rules/{row.pk}", {**content, "do": "save", "reason": "r"}).status_code == 302
    (made,) = [r for r in rules(maple) if r.id == "partner"]
    assert (made.levels, made.attachments) == (("phi-high",), ("macro", "infected"))


def test_what_cannot_be_is_said_beside_the_form(maple: Organisation, at_desk: DESK) -> None:
    http, before = at_desk("administrator"), newest(maple).number
    for wrong, sentence in (
        ({"floor": "NONE"}, "needs an attestation"),
        ({"hours": "at night"}, "Hours are written"),
        ({"methods": "pigeon"}, "The methods are"),
        ({"name": ""}, "This field is required"),
        ({"direction": "sideways"}, "Select a valid choice"),
    ):
        answer = post(http, "/policy/rules/new", {**ENTERED, **wrong, "do": "save", "reason": "r"})
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert newest(maple).number == before


def folds(text: str) -> dict[str, bool]:
    """By its heading, whether it stands open."""
    return {title: bool(open_) for open_, title in re.findall(r'<details class="mt-3"( open)?><summary>([^<]+)<', text)}


def test_what_most_rules_leave_empty_is_folded_until_it_is_filled_or_wrong(maple: Organisation, at_desk: DESK) -> None:
    http = at_desk("administrator")
    closed = folds(http.get("/policy/rules/new").content.decode())
    assert len(closed) == 9 and not any(closed.values())
    address = add(maple, Rule("r", action="approve", approvals=2, tags=("vip",), direction="inbound"))
    opened = {title for title, is_open in folds(http.get(address).content.decode()).items() if is_open}
    assert opened == {
        "Direction, unit, category, data class", "How long it waits, and for whom",
        "Another address, copies, tags, tracking",
    }  # fmt: skip
    for wrong, title in (
        ({"floor": "NONE"}, "Attestation, to ask for less than VERIFIED"),
        ({"position": "-1"}, "Order, and whether it is a default"),
        ({"tags": "a b"}, "Another address, copies, tags, tracking"),
    ):
        answer = post(http, "/policy/rules/new", {**ENTERED, **wrong, "do": "try"}).content.decode()
        assert folds(answer)[title] and "is-invalid" in answer
    names = set(re.findall(r' name="([a-z_]+)"', http.get("/policy/rules/new").content.decode()))
    assert set(RuleForm.base_fields) - {"reason"} <= names, "every field has its place"


def test_a_renamed_rule_takes_the_place_of_the_old_one(maple: Organisation, at_desk: DESK) -> None:
    address = add(maple, Rule("old", action="hold"))
    fields = {**ENTERED, "name": "new", "do": "save", "reason": "clearer"}
    assert post(at_desk("administrator"), address, fields).status_code == 302
    assert {"new"} == {r.id for r in rules(maple)} - {"portal-by-mail"}


def test_an_address_of_an_earlier_version_is_gone(maple: Organisation, at_desk: DESK) -> None:
    """Two administrators at once: nobody edits what is no longer in force."""
    address = add(maple, Rule("r", action="hold"))
    add(maple, Rule("other", action="hold"))
    assert at_desk("administrator").get(address).status_code == 404


def test_who_saves_second_loses_nothing_and_takes_nothing_away(maple: Organisation, at_desk: DESK) -> None:
    address = add(maple, Rule("r", action="hold"))
    http = at_desk("administrator")
    assert http.get(address).status_code == 200
    mine = {**ENTERED, "name": "r", "words": "Mine, typed with care.", "do": "save", "reason": "mine"}
    add(maple, Rule("other", action="hold"))
    assert post(http, address, {**mine, "do": "try"}).status_code == 200, "another rule is no matter of this one"
    add(maple, Rule("r", action="refuse"), reason="asked by the board")
    late = post(http, address, mine)
    text = late.content.decode()
    assert late.status_code == 409
    for told in (
        "This rule was changed while you had it open",
        "asked by the board",
        "Mine, typed with care.",
        "refuse",
    ):
        assert told in text
    assert next(r for r in rules(maple) if r.id == "r").action == "refuse"
    again = re.search(r'action="(/policy/rules/[0-9a-f-]{36})"', text)
    assert again is not None and again[1] != address
    assert post(http, f"{address}/remove", {"do": "save", "reason": "r"}).status_code == 409
    assert post(http, again[1], mine).status_code == 302
    assert next(r for r in rules(maple) if r.id == "r").words == "Mine, typed with care."
    policy.remove_rule(maple.pk, "r", actor=BOOTSTRAP, reason="gone")
    gone = post(http, again[1], mine)
    assert gone.status_code == 409 and 'action="/policy/rules/new"' in gone.content.decode()


def test_the_action_itself_looks_again(maple: Organisation) -> None:
    """Between what the page compared and the write there is a moment."""
    add(maple, Rule("r", action="hold"))
    seen = newest(maple).number
    add(maple, Rule("r", action="refuse"))
    for late in (
        lambda: policy.add_rule(maple.pk, Rule("r", warn=True), actor=BOOTSTRAP, reason="r", on=seen),
        lambda: policy.add_rule(maple.pk, Rule("n", warn=True), actor=BOOTSTRAP, reason="r", on=seen, instead_of="r"),
        lambda: policy.remove_rule(maple.pk, "r", actor=BOOTSTRAP, reason="r", on=seen),
        lambda: policy.restore_version(maple.pk, 1, actor=BOOTSTRAP, reason="r", on=seen),
    ):
        with pytest.raises(Wrong) as told:
            late()
        assert told.value.code == "changed-meanwhile"
    policy.add_rule(maple.pk, Rule("n", warn=True), actor=BOOTSTRAP, reason="r", on=seen)


def test_a_new_rule_does_not_take_the_place_of_another(maple: Organisation, at_desk: DESK) -> None:
    address = add(maple, Rule("partner", action="hold"))
    http = at_desk("administrator")
    add(maple, Rule("other", action="hold"))
    for path, name in (("/policy/rules/new", "partner"), (address, "other")):
        answer = post(http, path, {**ENTERED, "name": name, "do": "save", "reason": "r"})
        assert answer.status_code == 422
        assert "There is a rule of this name already" in answer.content.decode()
    assert next(r for r in rules(maple) if r.id == "partner").action == "hold"


def test_removing_shows_first_what_it_would_change(maple: Organisation, at_desk: DESK) -> None:
    address = add(maple, Rule("r", action="hold"))
    http = at_desk("administrator")
    assert "Nothing has changed yet" in post(http, f"{address}/remove", {}).content.decode()
    assert post(http, f"{address}/remove", {"do": "save"}).status_code == 422
    assert "r" in {r.id for r in rules(maple)}
    assert post(http, f"{address}/remove", {"do": "save", "reason": "ended"}).status_code == 302
    assert "r" not in {r.id for r in rules(maple)}


def test_a_version_tells_what_it_changed_and_can_be_put_back(maple: Organisation, at_desk: DESK) -> None:
    add(maple, Rule("r", action="hold"), reason="asked by the board")
    second = newest(maple).number
    policy.remove_rule(maple.pk, "r", actor=Actor("system", "command-line"), reason="mistake")
    http = at_desk("administrator")
    page = http.get(f"/policy/versions/{second}").content.decode()
    assert "Added: r" in page
    assert "asked by the board" in page
    assert "Of what is in force now it would change 1 rule" in page
    restore = f"/policy/versions/{second}/restore"
    tried = post(http, restore, {"do": "try"})
    assert tried.status_code == 200 and "There is nothing to try it on" in tried.content.decode()
    assert "r" not in {r.id for r in rules(maple)}
    seen = newest(maple).number
    add(maple, Rule("between", action="hold"))
    late = post(http, restore, {"reason": "back", "on": str(seen)})
    assert late.status_code == 422 and "Somebody changed the policy" in late.content.decode()
    assert "between" in {r.id for r in rules(maple)}
    assert post(http, restore, {}).status_code == 422
    assert post(http, restore, {"reason": "back"}).status_code == 302
    assert "r" in {r.id for r in rules(maple)}
    assert post(http, "/policy/versions/99/restore", {"reason": "r"}).status_code == 404


def test_approval_tells_the_engine_who_the_person_is(maple: Organisation, at_desk: DESK, monkeypatch: Any) -> None:
    """Nobody approves their own message: the engine compares address, credentials and keys."""
    asked: list[tuple[Any, ...]] = []

    class Engine:
        def act(self, *given: Any) -> dict[str, str]:
            asked.append(given)
            return {str(delivery): "needs-another"}

    monkeypatch.setattr("carepost.mailbox.door.client", lambda: Engine())
    message = delivery = "00000000-0000-7000-8000-000000000001"
    http = at_desk("operator")
    path = f"/messages/{message}/deliveries/{delivery}/act"
    assert post(http, path, {"verb": "release", "reason": "fine"}, page="/messages").status_code == 302
    assert asked[0][5] == ("operator@maple.test",)
    shown = http.get("/messages").content.decode()
    assert "nobody approves their own message" in shown


def test_the_policy_is_one_document_to_print_or_take_away(maple: Organisation, at_desk: DESK) -> None:
    add(maple, Rule("partner", recipient="jo@partner.test", floor=Assurance.AUTHENTICATED))
    desk = at_desk("administrator")
    page = desk.get("/policy/document").content.decode()
    assert "jo@partner.test" in page and "agreed with Jane" in page and "28 days" in page
    assert len(office_events("policy.viewed")) == 1
    hidden = desk.get("/policy/document?for=others").content.decode()
    assert "jo@partner.test" not in hidden and "Jane" not in hidden and "one person at partner.test" in hidden
    file = desk.get("/policy/document?form=file&for=others")
    assert file["Content-Disposition"] == f'attachment; filename="policy-version-{newest(maple).number}.md"'
    assert file["Cache-Control"] == "no-store"
    assert "jo@" not in file.content.decode() and "# Protection of e-mail" in file.content.decode()
