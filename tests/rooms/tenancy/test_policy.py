"""Protection rules in immutable versions; suppression; new versions of keys."""

from typing import Any

import pytest

from carepost.directory import rules as stored
from carepost.ground.errors import NotFound, Unavailable
from carepost.policy.types import Assurance, Attachment, Level, Method, Rule, TlsPolicy
from carepost.rfc.address import parse_path
from carepost.rfc.errors import AddressError
from carepost.tenancy import keys, sealing, select
from carepost.tenancy.actions import keys as key_actions
from carepost.tenancy.actions import organisations, policy, suppression
from carepost.tenancy.models import Organisation, PolicyVersion, Suppression
from carepost.tenancy.models import Rule as RuleRow
from carepost.tenancy.names import Wrong

pytestmark = pytest.mark.django_db(databases=["default", "records"])

PATIENT = "canary.patient@mail.test"


def in_force(org: Any) -> list[Rule]:
    return [r.rule for r in policy.rules_of(policy.in_force(Organisation.objects.get(pk=org)))]


def test_a_change_is_a_new_version_and_the_old_one_stays_as_it_was(cast: Any, told: Any, epoch: Any) -> None:
    """HS-51."""
    before = epoch(cast.clinic)
    strict = Rule(id="partner", recipient_domain="partner.test", floor=Assurance.AUTHENTICATED)
    second = policy.add_rule(cast.clinic, strict, actor=cast.ada, reason="contract asks for it")
    forced = Rule(id="partner", recipient_domain="partner.test", tls_policy=TlsPolicy.FORCED, methods=(Method.TLS,))
    third = policy.add_rule(cast.clinic, forced, actor=cast.ada, reason="changed our mind")
    assert (second.number, third.number) == (2, 3)
    assert in_force(cast.clinic) == [forced]
    assert [r.rule for r in policy.rules_of(second)] == [strict]
    assert Organisation.objects.get(pk=cast.clinic).policy_version == third.label
    assert epoch(cast.clinic) == before + 2
    first_event, _ = told()
    assert (first_event.event.kind, first_event.event.facts) == ("rule.changed", {"rule": "partner"})
    assert first_event.personal["reason"] == "contract asks for it"
    assert "partner.test" in first_event.personal["new"]
    assert in_force(cast.harbour) == []


def test_every_field_of_a_rule_survives_the_table(cast: Any) -> None:
    full = Rule(
        id="all", position=7, sender_domain="clinic.test", sender="n@clinic.test", recipient_domain="x.test",
        recipient=PATIENT, category="transactional", data_class="part2", floor=Assurance.NONE,
        tls_policy=TlsPolicy.EXCLUSIVE, methods=(Method.PORTAL, Method.TLS), action="hold",
        attestation="asked in writing",
    )  # fmt: skip
    policy.add_rule(cast.clinic, full, actor=cast.ada, reason="r")
    assert in_force(cast.clinic) == [full]


WIDE = Rule(
    id="wide", direction="internal", header="subject", contains="[x]", remove=True, size_over=5,
    hours="not mon-fri 08:00-18:00 Europe/Berlin", action="approve", approvals=3, warn=True, ask_reason=True,
    redirect=PATIENT, copies=("archive@clinic.test",), strip_tracking=True, tags=("vip",), words="Ask the desk.",
)  # fmt: skip
CONTENT = Rule(
    id="content", levels=(Level.PHI_HIGH,), attachments=(Attachment.MACRO, Attachment.INFECTED), skip_unknown=True,
    attestation="decided by the board", action="refuse", tags=("virus",),
)  # fmt: skip


@pytest.mark.parametrize("rule", [WIDE, CONTENT, Rule(id="default", setting=True, floor=Assurance.AUTHENTICATED)])
def test_conditions_and_actions_survive_the_table(cast: Any, rule: Rule) -> None:
    policy.add_rule(cast.clinic, rule, actor=cast.ada, reason="r")
    assert in_force(cast.clinic) == [rule]
    (row,) = RuleRow.objects.filter(rule=rule.id)
    for personal in (PATIENT, "[x]", "archive@", "Ask the desk", "board"):
        assert personal not in row.more


def test_a_rule_of_a_later_version_is_not_half_carried_out() -> None:
    columns = {"id": "r", "floor": None}
    with pytest.raises(Unavailable):
        stored.read(columns, '{"not_yet_invented": true}', "")
    with pytest.raises(Unavailable):
        stored.read(columns, '{"levels": ["sideways"]}', "")


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (Rule("r"), "empty-rule"),
        (Rule("r", action="explode"), "bad-action"),
        (Rule("r", action="hold", approvals=2), "bad-approvals"),
        (Rule("r", action="approve", approvals=9), "bad-approvals"),
        (Rule("r", floor=Assurance.NONE), "attestation-needed"),
        (Rule("r", floor=Assurance.NONE, attestation="no PHI", header="subject", contains="[p]"), "permission-needed"),
        (Rule("r", floor=Assurance.NONE, attestation="no PHI", category="marketing"), "permission-needed"),
        (Rule("r", floor=Assurance.NONE, attestation="no PHI", data_class="none-attested"), "permission-needed"),
        (Rule("r", action="hold", levels=(Level.PHI_HIGH,), skip_unknown=True), "attestation-needed"),
        (Rule("r", action="hold", hours="sometimes"), "bad-hours"),
        (Rule("r", action="hold", header="two words"), "bad-header"),
        (Rule("r", action="hold", contains="x"), "bad-header"),
        (Rule("r", action="hold", header="X-Carepost-Secure"), "bad-header"),
        (Rule("r", action="hold", direction="sideways"), "bad-condition"),
        (Rule("r", action="hold", category="spam"), "bad-condition"),
        (Rule("r", action="hold", size_over=-1), "bad-size"),
        (Rule("r", action="hold", levels=(Level.UNKNOWN,)), "bad-level"),
        (Rule("r", redirect="a@x.test", levels=(Level.NONE,)), "too-early"),
        (Rule("r", tags=("a b",)), "bad-tag"),
        (Rule("r", copies=("nobody",)), "bad-address"),
        (Rule("r", copies=tuple(f"c{n}@x.test" for n in range(6))), "too-many-copies"),
        (Rule("r", action="hold", header="from", remove=True), "bad-trigger"),
        (Rule("r", action="hold", header="subject", remove=True), "bad-trigger"),
        (
            Rule(
                "r",
                sender_domain="a.test",
                header="x-open",
                direction="inbound",
                floor=Assurance.NONE,
                attestation="no PHI",
            ),
            "permission-needed",
        ),
        (Rule("r", setting=True, action="hold"), "bad-setting"),
        (Rule("r", setting=True, floor=Assurance.MESSAGE, category="marketing"), "bad-setting"),
        (Rule("r", setting=True, floor=Assurance.MESSAGE, sender_domain="a.test", recipient="p@x.test"), "bad-setting"),
        (Rule("r", portal_by_mail=True), "bad-rule"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_mend(cast: Any, rule: Rule, code: str) -> None:
    with pytest.raises(Wrong) as refused:
        policy.add_rule(cast.clinic, rule, actor=cast.ada, reason="r")
    assert refused.value.code == code
    assert in_force(cast.clinic) == []


def test_an_opt_out_needs_somebody_it_is_for(cast: Any) -> None:
    """A trigger that lowers: only for those the administrator names, with an attestation."""
    rule = Rule(
        "plain", sender="ada@clinic.test", header="subject", contains="[plain]", remove=True, floor=Assurance.NONE,
        attestation="appointment notes without PHI",
    )  # fmt: skip
    policy.add_rule(cast.clinic, rule, actor=cast.ada, reason="r")
    assert in_force(cast.clinic) == [rule]


def test_a_category_lowers_for_whom_the_rule_names(cast: Any) -> None:
    """The sending program says what its mail is: who may say so to any effect is an administrator's word."""
    rule = Rule("news", sender_domain="clinic.test", category="marketing", floor=Assurance.NONE, attestation="no PHI")
    policy.add_rule(cast.clinic, rule, actor=cast.ada, reason="r")
    assert in_force(cast.clinic) == [rule]


def test_a_persons_address_stands_in_no_column(cast: Any) -> None:
    """Law 9."""
    policy.add_rule(
        cast.clinic, Rule(id="one", recipient=PATIENT, action="hold"), actor=cast.ada, reason=f"for {PATIENT}"
    )
    suppression.suppress(cast.clinic, PATIENT, actor=cast.ada, reason="request")
    for model in (RuleRow, PolicyVersion, Suppression):
        for row in model.objects.values_list():
            assert not any(
                b"canary" in (bytes(v) if isinstance(v, (bytes, memoryview)) else str(v).encode()) for v in row
            )


def test_the_label_names_the_rules(cast: Any) -> None:
    rule = Rule(id="a", action="hold")
    one = policy.add_rule(cast.clinic, rule, actor=cast.ada, reason="r")
    two = policy.add_rule(cast.harbour, rule, actor=cast.hal, reason="other words")
    three = policy.add_rule(cast.clinic, Rule(id="b", action="hold"), actor=cast.ada, reason="r")
    assert one.label == two.label
    assert three.label != one.label


@pytest.mark.parametrize(
    "rule",
    [
        Rule(id="says-nothing"),
        Rule(id="", action="hold"),
        Rule(id="x", action="delete"),
        Rule(id="low", floor=Assurance.ENCRYPTED),
        Rule(id="low", floor=Assurance.MAILBOX, attestation="  "),
        Rule(id="other-name", portal_by_mail=True),
        Rule(id="portal-by-mail", action="hold"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: Rule, cast: Any) -> None:
    with pytest.raises(Wrong):
        policy.add_rule(cast.clinic, rule, actor=cast.ada, reason="r")
    assert in_force(cast.clinic) == []


def test_a_reason_is_asked_for(cast: Any) -> None:
    with pytest.raises(Wrong):
        policy.add_rule(cast.clinic, Rule(id="a", action="hold"), actor=cast.ada, reason=" ")


def test_portal_by_mail_is_turned_on_and_off_by_an_administrator(cast: Any, told: Any) -> None:
    policy.set_portal_by_mail(cast.clinic, True, actor=cast.ada, reason="first run")
    assert [r.id for r in in_force(cast.clinic)] == ["portal-by-mail"]
    policy.set_portal_by_mail(cast.clinic, False, actor=cast.ada, reason="codes by phone from now on")
    assert in_force(cast.clinic) == []
    assert [e.event.facts["rule"] for e in told()] == ["portal-by-mail"] * 2
    with pytest.raises(NotFound):
        policy.set_portal_by_mail(cast.clinic, False, actor=cast.ada, reason="again")


def test_a_rule_of_a_unit_names_a_unit_of_the_organisation(cast: Any) -> None:
    dock = organisations.add_unit(cast.harbour, "Dock", actor=cast.hal)
    with pytest.raises(NotFound):
        policy.add_rule(cast.clinic, Rule(id="a", action="hold"), actor=cast.ada, reason="r", unit=dock.pk)


def test_no_spelling_of_an_address_escapes_the_list(cast: Any) -> None:
    """BI-063: suppressed in one spelling, met in another: composed and decomposed, Unicode domain and A-label."""
    assert suppression.suppress(cast.clinic, "J\u00f6rg@B\u00fccher.test", actor=cast.olga, reason="request")
    for other in ("jo\u0308rg@b\u00fccher.test", "J\u00d6RG@xn--bcher-kva.test", " j\u00f6rg@XN--BCHER-KVA.TEST "):
        assert not suppression.suppress(cast.clinic, other, actor=cast.olga, reason="request")
    # what the engine compares is what its doors read
    door = parse_path("j\u00f6rg@b\u00fccher.test", utf8=True)
    (row,) = select.suppressions(cast.clinic)
    assert bytes(row.token) == suppression.token(cast.clinic, door)
    with pytest.raises(AddressError):
        suppression.suppress(cast.clinic, "j\u200borg@bcher.test", actor=cast.olga, reason="request")
    suppression.unsuppress(cast.clinic, "j\u00f6rg@xn--bcher-kva.test", actor=cast.olga, reason="asked again")
    assert select.suppressions(cast.clinic) == []


def test_suppression_is_a_token_and_a_sealed_address(cast: Any, told: Any, epoch: Any) -> None:
    before = epoch(cast.clinic)
    assert suppression.suppress(cast.clinic, PATIENT, actor=cast.olga, reason="bounce")
    assert not suppression.suppress(cast.clinic, PATIENT.upper(), actor=cast.olga, reason="bounce")
    (row,) = select.suppressions(cast.clinic)
    assert suppression.address_of(row) == PATIENT
    assert bytes(row.token) == suppression.token(cast.clinic, PATIENT) != suppression.token(cast.harbour, PATIENT)
    assert epoch(cast.clinic) == before + 1
    suppression.unsuppress(cast.clinic, PATIENT, actor=cast.olga, reason="new mailbox")
    added, removed = told()
    assert added.personal == {"address": PATIENT}
    assert removed.personal["reason"] == "new mailbox"
    assert select.suppressions(cast.clinic) == []
    with pytest.raises(NotFound):
        suppression.unsuppress(cast.clinic, PATIENT, actor=cast.olga, reason="again")
    with pytest.raises(Wrong):
        suppression.suppress(cast.clinic, PATIENT, actor=cast.olga, reason="dislike")


def test_a_new_key_seals_and_the_old_one_still_opens(cast: Any, told: Any) -> None:
    old = sealing.seal(cast.clinic, "evidence", b"before", "t.c/1")
    made = key_actions.rotate_key(cast.clinic, "evidence", actor=cast.ada, reason="yearly")
    (event,) = told()
    assert (made.version, event.event.facts) == (2, {"key": "evidence", "version": "2"})
    assert event.personal == {"reason": "yearly"}
    new = sealing.seal(cast.clinic, "evidence", b"after", "t.c/1")
    assert (old[:4], new[:4]) == (b"\0\0\0\1", b"\0\0\0\2")
    assert sealing.open_(cast.clinic, "evidence", old, "t.c/1") == b"before"
    assert sealing.open_(cast.clinic, "evidence", new, "t.c/1") == b"after"
    assert keys.current(cast.clinic, "evidence")[0] == 2
    with pytest.raises(Wrong):
        key_actions.rotate_key(cast.clinic, "dkim", actor=cast.ada, reason="yearly")
    with pytest.raises(Wrong):
        key_actions.rotate_key(cast.clinic, "evidence", actor=cast.ada, reason=" ")


def test_a_sealed_value_opens_only_where_it_stands(cast: Any) -> None:
    sealed = sealing.seal(cast.clinic, "evidence", b"x", "t.c/1")
    for org, place in ((cast.clinic, "t.c/2"), (cast.harbour, "t.c/1")):
        with pytest.raises(Exception, match="damaged"):
            sealing.open_(org, "evidence", sealed, place)
