"""A protection rule as a form: what it says, of which mail, and why it is changed."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from django import forms
from django.forms.boundfield import BoundField

from carepost.console import fields
from carepost.policy import holding, rule_words
from carepost.policy.explain import FLOORS
from carepost.policy.types import Assurance, Attachment, Category, DataClass, Level, Method, Rule, TlsPolicy
from carepost.tenancy.actions.policy import UnitRule
from carepost.tenancy.names import Wrong
from carepost.tenancy.policies import Policy

_MEGABYTE: Final = 1_000_000
_ACTIONS: Final = [
    ("", "nothing more"),
    ("hold", "hold until a person releases it"),
    ("approve", "hold until other people approve"),
    ("refuse", "refuse"),
]

#: what the form holds as the rule does, under the same name
_SAME: Final = (
    "position", "sender_domain", "sender", "recipient_domain", "recipient", "category", "data_class", "action",
    "attestation", "setting", "direction", "header", "contains", "remove", "hours", "skip_unknown", "warn",
    "ask_reason", "redirect", "strip_tracking", "words", "held_then",
)  # fmt: skip

_THEN: Final = (
    ("", "as rules say that hold nothing themselves (without one: after a week, back to the sender)"),
    ("refuse", "it goes back to its sender"),
    ("release", "it is sent as the rules then say (never what people must approve)"),
    ("keep", "it goes on waiting"),
)


class Fold(NamedTuple):
    """Fields that most rules leave empty: folded until one is filled or wrong."""

    title: str
    names: tuple[str, ...]
    hint: str = ""


class Group(NamedTuple):
    title: str
    hint: str
    #: always shown
    names: tuple[str, ...]
    folds: tuple[Fold, ...] = ()


#: the order of the page: what the rule looks at, what it does
GROUPS: Final = (
    Group("Name", "", ("name",), (Fold("Order, and whether it is a default", ("setting", "position")),)),
    Group(
        "Which mail does it look at?",
        "What is left empty holds for all mail. Everything that is filled in must be so.",
        ("recipient_domain", "recipient", "sender_domain", "sender", "levels"),
        (
            Fold("Direction, unit, category, data class", ("direction", "unit", "category", "data_class")),
            Fold("Subject or header field, size, hours", ("header", "contains", "remove", "size_mb", "hours")),
            Fold(
                "Attachments, and content that cannot be read",
                ("attachments", "skip_unknown"),
                "Content is looked at only where a rule asks for it. What cannot be found out counts as the strictest.",
            ),
        ),
    ),
    Group(
        "What does it do?",
        "",
        ("floor", "action"),
        (
            Fold("Which way it is sent", ("tls_policy", "methods")),
            Fold("How long it waits, and for whom", ("approvals", "held_hours", "held_then")),
            Fold("What the sender is asked and told", ("ask_reason", "warn", "words")),
            Fold("Another address, copies, tags, tracking", ("redirect", "copies", "tags", "strip_tracking")),
            Fold(
                "Attestation, to ask for less than VERIFIED",
                ("attestation",),
                "That no health information is sent, or the person’s own wish, warned and stored.",
            ),
        ),
    ),
)
#: what a form begins with: no more filled than an empty field
_AS_GIVEN: Final = {"position": "100", "approvals": "1"}
#: code of names.Wrong -> the field it is about
FIELD_OF: Final = {
    "attestation-needed": "attestation", "bad-approvals": "approvals", "bad-header": "header", "bad-hold": "held_hours",
    "bad-hours": "hours", "bad-method": "methods", "bad-size": "size_mb", "bad-tag": "tags", "bad-trigger": "remove",
    "name-taken": "name", "permission-needed": "sender", "too-many-copies": "copies",
}  # fmt: skip


def _choice(label: str, choices: Iterable[tuple[str, str]], empty: str = "any") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[("", empty), *choices])


def _several(label: str, choices: Iterable[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, required=False, choices=list(choices), widget=forms.CheckboxSelectMultiple
    )


class RuleForm(forms.Form):
    name = forms.CharField(label="Name of the rule (decisions, timelines and proofs show it)", max_length=120)
    setting = forms.BooleanField(label="A default: nearer defaults override it, rules stand above it", required=False)
    position = forms.IntegerField(label="Position (lower ones are named first)", min_value=0, max_value=100_000)
    direction = _choice("Direction", rule_words.DIRECTIONS.items())
    unit = forms.ChoiceField(label="Unit", required=False)
    sender_domain = fields.text("Sender domain")
    sender = fields.text("Sender’s address")
    recipient_domain = fields.text("Recipient’s domain")
    recipient = fields.text("Recipient’s address")
    category = _choice("Category", [(c.value, c.value) for c in Category])
    data_class = _choice("Data class", [(c.value, c.value) for c in DataClass])
    header = fields.text("Header field", "subject, or a field of an add-in", 64)
    contains = fields.text("contains the text", "[secure]", 100)
    remove = forms.BooleanField(
        label="A trigger: take the text (or the X- field) out before it is sent", required=False
    )
    size_mb = forms.DecimalField(
        label="Larger than (MB)", required=False, min_value=0, max_value=1000, decimal_places=3, max_digits=7
    )
    hours = fields.text("Hours", "not mon-fri 08:00-18:00 America/New_York", 120)
    levels = _several("It contains", rule_words.LEVELS.items())
    attachments = _several("It has attached", rule_words.ATTACHMENTS.items())
    skip_unknown = forms.BooleanField(
        label="Does not apply while that is unknown (“fail open”, with attestation only)", required=False
    )
    floor = _choice("At least", [(a.name, f"{a.name}: {FLOORS[a]}") for a in Assurance], "as required otherwise")
    tls_policy = _choice("TLS", rule_words.TLS.items(), "as required otherwise")
    methods = fields.text("Only these methods, in this order", "smime, openpgp, portal, tls", 60)
    action = forms.ChoiceField(label="Then", required=False, choices=_ACTIONS)
    approvals = forms.IntegerField(label="Other people who must approve", min_value=1, max_value=5, required=False)
    held_hours = forms.IntegerField(
        label="What is held waits (hours)", min_value=0, max_value=holding.MOST_HOURS, required=False
    )
    held_then = forms.ChoiceField(label="When that time is over", required=False, choices=_THEN)
    ask_reason = forms.BooleanField(label="The sender must say why", required=False)
    warn = forms.BooleanField(label="The sender is asked to check", required=False)
    words = fields.text("What the sender is told, in your own words", longest=300)
    redirect = fields.text("Send it to this address instead")
    copies = fields.text("Send a copy to (addresses, separated by commas)", longest=1700)
    tags = fields.text("Tags (separated by commas)", longest=420)
    strip_tracking = forms.BooleanField(label="Add no tracking", required=False)
    attestation = fields.text("Attestation", longest=500)
    reason = fields.text("Why the policy changes (kept with the version)", longest=500)

    def __init__(self, policy: Policy, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units = sorted(policy.units.items(), key=lambda pair: pair[1])
        field = self.fields["unit"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "any"), *((str(pk), name) for pk, name in units)]

    def groups(self) -> list[dict[str, Any]]:
        """Of each group its title, hint, fields and folds; a fold `opens` where something in it is filled or wrong."""
        return [
            {
                "title": group.title,
                "hint": group.hint,
                "fields": [self[name] for name in group.names],
                "folds": [
                    {
                        "title": fold.title,
                        "hint": fold.hint,
                        "fields": [self[name] for name in fold.names],
                        "opens": any(_telling(self[name]) for name in fold.names),
                    }
                    for fold in group.folds
                ],
            }
            for group in GROUPS
        ]

    def unit_id(self) -> UUID | None:
        return UUID(self.cleaned_data["unit"]) if self.cleaned_data["unit"] else None

    def rule(self) -> Rule:
        """As entered. Raises names.Wrong for methods there are not."""
        given = self.cleaned_data
        return Rule(
            id=given["name"],
            floor=Assurance[given["floor"]] if given["floor"] else None,
            tls_policy=TlsPolicy(given["tls_policy"]) if given["tls_policy"] else None,
            methods=_methods(given["methods"]),
            portal_by_mail=given["name"] == "portal-by-mail",
            size_over=int((given["size_mb"] or 0) * _MEGABYTE),
            levels=tuple(Level(one) for one in given["levels"]),
            attachments=tuple(Attachment(one) for one in given["attachments"]),
            approvals=given["approvals"] or 1,
            held_hours=given["held_hours"] or 0,
            copies=tuple(_listed(given["copies"])),
            tags=tuple(_listed(given["tags"])),
            **{name: given[name] for name in _SAME},
        )


def _telling(field: BoundField) -> bool:
    value = field.value()
    return bool(field.errors) or (bool(value) and str(value) != _AS_GIVEN.get(field.name))


def initial(one: UnitRule | None) -> dict[str, object]:
    """What the form shows of a rule, or of a new one."""
    if one is None:
        return {"position": 100, "approvals": 1}
    rule = one.rule
    return {name: getattr(rule, name) for name in _SAME} | {
        "name": rule.id,
        "approvals": rule.approvals,
        "held_hours": rule.held_hours or "",
        "unit": str(one.unit) if one.unit else "",
        "floor": rule.floor.name if rule.floor is not None else "",
        "tls_policy": rule.tls_policy or "",
        "methods": ", ".join(rule.methods),
        "size_mb": f"{rule.size_over / _MEGABYTE:g}" if rule.size_over else "",
        "levels": list(rule.levels),
        "attachments": list(rule.attachments),
        "copies": ", ".join(rule.copies),
        "tags": ", ".join(rule.tags),
    }


def _methods(text: str) -> tuple[Method, ...]:
    try:
        return tuple(dict.fromkeys(Method(one.lower()) for one in _listed(text)))
    except ValueError:
        raise Wrong("bad-method", "The methods are tls, smime, openpgp and portal.") from None


def _listed(text: str) -> Sequence[str]:
    return [one.strip() for one in text.replace(";", ",").split(",") if one.strip()]
