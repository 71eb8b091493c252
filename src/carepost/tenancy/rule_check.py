"""What a rule may be: checked and put into its stored form before it becomes part of a version."""

import re
from typing import Final

import msgspec

from carepost.policy import holding, hours
from carepost.policy.index import scope
from carepost.policy.types import Assurance, Category, DataClass, Direction, Level, Rule
from carepost.tenancy import names
from carepost.tenancy.names import Wrong

PORTAL_BY_MAIL: Final = "portal-by-mail"
ACTIONS: Final = ("", "hold", "approve", "refuse")
#: rules of one organisation
MOST_RULES: Final = 2_000
MOST_COPIES: Final = 5
MOST_TAGS: Final = 10
_FIELD: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_TAG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_GIBIBYTE: Final = 1 << 30


def checked(rule: Rule, *, for_unit: bool = False) -> Rule:
    """The rule in its stored form. Raises names.Wrong, which says what to mend."""
    names.words(rule.id, "rule's name", longest=120)
    rule = _normal(rule)
    _says_something(rule)
    _waiting(rule)
    _lowers_only_attested(rule, for_unit)
    _conditions(rule)
    _made_at_the_door(rule)
    if rule.setting:
        _setting(rule)
    return rule


def _normal(rule: Rule) -> Rule:
    return msgspec.structs.replace(
        rule,
        sender=names.address(rule.sender) if rule.sender else "",
        recipient=names.address(rule.recipient) if rule.recipient else "",
        sender_domain=names.domain(rule.sender_domain) if rule.sender_domain else "",
        recipient_domain=names.domain(rule.recipient_domain) if rule.recipient_domain else "",
        header=rule.header.strip().lower().rstrip(":"),
        contains=rule.contains.strip(),
        hours=" ".join(rule.hours.split()),
        redirect=names.address(rule.redirect) if rule.redirect else "",
        copies=tuple(dict.fromkeys(names.address(one) for one in rule.copies)),
        attestation=names.words(rule.attestation, "attestation", longest=500, empty=True),
        words=names.words(rule.words, "words for the sender", longest=300, empty=True),
        unit="",
    )


def _says_something(rule: Rule) -> None:
    if rule.action not in ACTIONS:
        raise Wrong("bad-action", "A rule's action is hold, approve or refuse.")
    if not 1 <= rule.approvals <= 5 or (rule.approvals > 1 and rule.action != "approve"):
        raise Wrong("bad-approvals", "One to five people may have to approve, with the action approve.")
    says = (
        rule.floor is not None, rule.tls_policy, rule.methods, rule.portal_by_mail, rule.action, rule.warn,
        rule.ask_reason, rule.redirect, rule.copies, rule.strip_tracking, rule.tags, rule.held_hours, rule.held_then,
    )  # fmt: skip
    if not any(says):
        raise Wrong("empty-rule", "The rule says nothing: give it a floor, a TLS policy, methods or an action.")
    if rule.portal_by_mail != (rule.id == PORTAL_BY_MAIL):
        raise Wrong("bad-rule", f"Only the rule {PORTAL_BY_MAIL} opens the portal to mailed codes.")


def _waiting(rule: Rule) -> None:
    if not 0 <= rule.held_hours <= holding.MOST_HOURS:
        raise Wrong("bad-hold", f"What is held waits 1 to {holding.MOST_HOURS} hours; empty: as other rules say.")
    if rule.held_then and rule.held_then not in holding.THEN:
        raise Wrong("bad-hold", f"When its time is over: {', '.join(holding.THEN)}.")
    if rule.held_then == holding.RELEASE and rule.action == "approve":
        raise Wrong("bad-hold", "What people must approve is never released by the clock.")
    if rule.held_then == holding.KEEP and rule.held_hours:
        raise Wrong("bad-hold", "What is kept waiting without end has no hours.")


def _lowers_only_attested(rule: Rule, for_unit: bool) -> None:
    lowers = rule.floor is not None and rule.floor < Assurance.VERIFIED
    if lowers and not rule.attestation:
        raise Wrong(
            "attestation-needed",
            "A floor below VERIFIED needs an attestation: that no PHI is sent, or the person's stored preference.",
        )
    if lowers and rule.header and not (rule.sender or rule.sender_domain or for_unit):
        raise Wrong(
            "permission-needed",
            "A trigger that lowers protection names who may use it: a sender, a sender domain or a unit.",
        )
    if lowers and rule.header and rule.direction == Direction.INBOUND:
        raise Wrong(
            "permission-needed",
            "Who writes from outside may not lower protection: a trigger that does is for the organisation's own "
            "people, outbound or internal.",
        )
    if lowers and (rule.category or rule.data_class) and not (rule.sender or rule.sender_domain or for_unit):
        # the program that sends says what it is: alone, that would be an opt-out for whoever may send
        raise Wrong(
            "permission-needed",
            "A category or data class is what the sending program says it is: a rule that lowers protection by it "
            "names who may, a sender, a sender domain or a unit.",
        )
    if rule.skip_unknown and not (rule.attestation and (rule.levels or rule.attachments)):
        raise Wrong(
            "attestation-needed",
            "A rule that passes over unknown content asks about content, and needs an attestation.",
        )


def _conditions(rule: Rule) -> None:
    closed = {
        "direction": (rule.direction, tuple(Direction)),
        "category": (rule.category, tuple(Category)),
        "data class": (rule.data_class, tuple(DataClass)),
    }
    for what, (value, allowed) in closed.items():
        if value and value not in allowed:
            raise Wrong("bad-condition", f"The {what} is one of: {', '.join(allowed)}.")
    if rule.hours:
        try:
            hours.parse(rule.hours)
        except ValueError:
            raise Wrong(
                "bad-hours",
                "Hours are written like: mon-fri 08:00-18:00 America/New_York, with “not” before them or not.",
            ) from None
    if rule.header and not _FIELD.fullmatch(rule.header):
        raise Wrong("bad-header", "A header field has a name of letters, digits and hyphens.")
    if rule.header.startswith("x-carepost-"):
        # the door reads and takes out its own fields, and refuses those it does not know: no rule would ever see one
        raise Wrong("bad-header", "Fields that begin with X-Carepost- are Carepost's own: choose another name.")
    if rule.contains and not rule.header:
        raise Wrong("bad-header", "Say which header field contains the text: for example subject.")
    names.words(rule.contains, "text in the header", longest=100, empty=True)
    if not 0 <= rule.size_over <= _GIBIBYTE:
        raise Wrong("bad-size", "A size is given in octets, up to 1 GiB.")
    if Level.UNKNOWN in rule.levels:
        raise Wrong("bad-level", "Unknown content counts as the strictest there is; a rule need not name it.")


def _made_at_the_door(rule: Rule) -> None:
    """Before the 250: what depends on the content is not known then."""
    early = rule.redirect or rule.copies or rule.remove
    if early and (rule.levels or rule.attachments):
        raise Wrong("too-early", "Redirecting, copying and triggers happen at the door, before content is looked at.")
    if len(rule.copies) > MOST_COPIES:
        raise Wrong("too-many-copies", f"A rule copies to at most {MOST_COPIES} addresses.")
    if len(rule.tags) > MOST_TAGS or not all(_TAG.fullmatch(tag) for tag in rule.tags):
        raise Wrong("bad-tag", f"At most {MOST_TAGS} tags, each of letters, digits, dots and hyphens.")
    if not rule.remove:
        return
    if rule.header == "subject" and rule.contains:
        return
    if not rule.header.startswith("x-"):
        raise Wrong("bad-trigger", "A trigger is a text in the subject, or a field whose name begins with X-.")


def _setting(rule: Rule) -> None:
    if not scope(rule)[0]:
        raise Wrong(
            "bad-setting",
            "A default is for the organisation, a unit, a sender domain, a sender, a recipient domain or a recipient; "
            "what depends on more is a rule.",
        )
    extra = (
        rule.action, rule.warn, rule.ask_reason, rule.redirect, rule.copies, rule.strip_tracking, rule.tags,
        rule.portal_by_mail, rule.held_hours, rule.held_then,
    )  # fmt: skip
    if any(extra):
        raise Wrong("bad-setting", "A default has a floor, a TLS policy or methods; everything else is a rule.")
