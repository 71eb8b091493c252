"""What is asked of messages: the search of the list, and the question whether something arrived."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django import forms

from carepost.archive.search import Wanted
from carepost.console import fields, words
from carepost.engagement import select
from carepost.engagement.types import Engaged
from carepost.pace import providers
from carepost.policy.types import Category

#: what Carepost wrote itself
OWN: Final = ("notice", "bounce", "report")
_STATES = [
    ("", "any"),
    ("queued", "waiting to be sent"),
    ("deferred", "will be tried again"),
    ("held", "held for a person"),
    ("sent", "accepted by the recipient’s server"),
    ("deposited", "in the portal, not opened"),
    ("opened", "opened in the portal"),
    ("expired", "expired in the portal"),
    ("retracted", "taken back"),
    ("failed", "failed"),
    ("suppressed", "not sent: address suppressed"),
    ("tested", "test, not sent"),
]
_CONTENT = [
    ("", "any"),
    ("phi-high phi-likely", "Health information about a person, certain or probable"),
    *((level, words.CONTENT[level]) for level in reversed(words.CONTENT)),
    ("unknown", "It could not be looked into"),
]
_ENGAGED = [
    ("", "any"),
    (Engaged.OPENED.value, "opened"),
    (Engaged.CLICKED.value, "a link followed"),
    (Engaged.NOT_OPENED.value, "watched, not opened"),
    (Engaged.NOT_CLICKED.value, "watched, no link followed"),
]
#: of whom: what people and their systems sent, or also what Carepost wrote itself
_SHOWN = [("", "messages of people and systems"), ("all", "everything, also notices and reports")]
_NEAR = [("1", "a day more or less"), ("3", "three days more or less"),
         ("7", "a week to either side"), ("31", "a month to either side")]  # fmt: skip


def _choice(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, required=False, choices=choices, widget=forms.Select({"class": "form-select"})
    )


def day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )


def _groups() -> list[tuple[str, str]]:
    named = ((one.id, one.name) for one in providers.TABLE.values() if providers.named(one.id))
    return [("", "any"), *sorted(named, key=lambda pair: pair[1].lower())]


class SearchForm(forms.Form):
    recipient = fields.text("Recipient")
    sender = fields.text("Sender")
    subject = fields.text("Words of the subject", longest=200)
    state = _choice("State", _STATES)
    since = day("From (day, UTC)")
    until = day("To (day, UTC)")
    domain = fields.text("Recipient’s domain", longest=253)
    provider = _choice("Recipient’s mail provider", _groups())
    tag = fields.text("Tag", longest=128)
    method = _choice("Method", [("", "any"), *words.METHODS.items()])
    assurance = _choice("Protection reached", [("", "any"), *((name, name) for name in words.ASSURANCES)])
    category = _choice("Kind", [("", "any"), *((one.value, one.value) for one in Category)])
    content = _choice("What was found in it", _CONTENT)
    engaged = _choice("Opens and clicks", _ENGAGED)
    message_id = fields.text("Message number or Message-ID")
    shown = _choice("Show", _SHOWN)
    cursor = forms.CharField(required=False, max_length=400, widget=forms.HiddenInput())

    #: those of the first row; the others fold away
    FIRST = ("recipient", "sender", "subject", "state", "since", "until")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("since") and given.get("until") and given["since"] > given["until"]:
            self.add_error("until", "The last day lies before the first.")
        return given

    def first(self) -> list[forms.BoundField]:
        return [self[name] for name in self.FIRST]

    def further(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.FIRST]

    def further_used(self) -> bool:
        return any(self.data.get(field.name) for field in self.further() if field.name != "shown")

    def anything(self) -> bool:
        """Whether it asks for some messages, and not for all there are."""
        return any(self.cleaned_data.get(name) for name in self.fields if name not in ("cursor", "shown"))

    def wanted(self, org: uuid.UUID) -> Wanted:
        given = self.cleaned_data
        content = tuple(one for one in given["content"].split(" ") if one)
        opened, clicked = select.engaged(org, Engaged(given["engaged"])) if given["engaged"] else ((), ())
        until = given.get("until")
        return Wanted(
            recipient=given["recipient"].strip(), sender=given["sender"].strip(), subject=given["subject"].strip(),
            message_id=given["message_id"].strip(), tag=given["tag"].strip(), state=given["state"],
            since=midnight(given.get("since")), until=midnight(until + timedelta(days=1) if until else None),
            without=() if given["shown"] else OWN, domain=given["domain"].strip(), provider=given["provider"],
            method=given["method"], assurance=given["assurance"], category=given["category"],
            content=content, opened=opened, clicked=clicked,
        )  # fmt: skip

    def kept(self) -> list[tuple[str, str]]:
        """(name, as it was given), to be asked again."""
        return [(name, self.data.get(name, "")) for name in self.fields if name != "cursor"]


class ArrivalForm(forms.Form):
    recipient = fields.text("Recipient’s e-mail address")
    around = day("Roughly when (day; empty: any time)")
    days = _choice("Give or take", _NEAR)
    subject = fields.text("Words of the subject, if known", longest=200)

    def clean_recipient(self) -> str:
        given = str(self.cleaned_data["recipient"]).strip()
        if "@" not in given.strip("@"):
            raise forms.ValidationError("Enter the whole address, with its @.")
        return given

    def around_us(self) -> int:
        """Noon of the day; 0 where none is given."""
        given = self.cleaned_data.get("around")
        return midnight(given) + 43_200_000_000 if given else 0


def midnight(of: date | None) -> int:
    if of is None:
        return 0
    return int(datetime(of.year, of.month, of.day, tzinfo=UTC).timestamp()) * 1_000_000
