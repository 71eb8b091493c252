"""What is entered about webhooks."""

from typing import Any, Final

from django import forms

from carepost.console import fields
from carepost.policy.types import Category
from carepost.proof import kinds
from carepost.webhooks import filters
from carepost.webhooks.checking import FORMATS, LONGEST_OVERLAP, OVERLAP, Agreement
from carepost.webhooks.filters import Filter
from carepost.webhooks.select import Shown

_FORMATS: Final = (
    ("carepost", "Carepost’s own (Standard Webhooks), one event a call"),
    ("sendgrid", "SendGrid’s event webhook, many events a call"),
)
_BOX: Final = {"class": "form-check-input"}
_CATEGORIES: Final = [(one.value, one.value.title()) for one in Category]
assert {value for value, _ in _FORMATS} == set(FORMATS)


def _events() -> list[tuple[str, str]]:
    return [(kind, kinds.info(kind).words) for kind in filters.offered()]


class WebhookForm(forms.Form):
    url = forms.CharField(
        label="Address", max_length=2000,
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "url", "placeholder": "https://ehr.example/hooks"}),
    )  # fmt: skip
    name = fields.text("Name (for your own use)", "Our patient record system", 200)
    format = forms.ChoiceField(label="Format", choices=_FORMATS)
    events = forms.MultipleChoiceField(
        label="Events", choices=_events, required=False, widget=forms.CheckboxSelectMultiple(_BOX)
    )
    categories = forms.MultipleChoiceField(
        label="Categories", choices=_CATEGORIES, required=False, widget=forms.CheckboxSelectMultiple(_BOX)
    )
    tags = fields.text("Only messages with one of these tags, separated by commas", longest=2000)
    domains = fields.text("Only messages from these sender domains, separated by blanks", longest=2000)

    @classmethod
    def of(cls, one: Shown) -> "WebhookForm":
        chosen = one.filter
        # a pattern like delivery.* is shown as the kinds it stands for
        events = sorted(filters.wanted(chosen)) if chosen.events else []
        return cls(
            initial={
                "url": one.url, "name": one.name, "format": one.format, "events": events,
                "categories": list(chosen.categories), "tags": ", ".join(chosen.tags),
                "domains": " ".join(chosen.domains),
            }
        )  # fmt: skip

    def filter(self) -> Filter:
        given = self.cleaned_data
        tags = (tag.strip() for tag in given["tags"].split(","))
        return Filter(
            tuple(given["events"]), tuple(given["categories"]), tuple(tag for tag in tags if tag),
            tuple(given["domains"].split()),
        )  # fmt: skip


class RotateForm(forms.Form):
    overlap = forms.IntegerField(
        label="Hours both secrets count", min_value=0, max_value=LONGEST_OVERLAP, initial=OVERLAP
    )


class AgreementForm(forms.Form):
    reference = forms.CharField(label="Reference of the agreement", max_length=200)
    date = forms.CharField(
        label="Its date", max_length=10, widget=forms.DateInput({"type": "date", "autocomplete": "off"})
    )
    party = forms.CharField(label="Made with", max_length=200)

    def agreement(self) -> Agreement:
        given: dict[str, Any] = self.cleaned_data
        return Agreement(given["reference"], given["date"], given["party"])


class ReplayForm(forms.Form):
    since = forms.DateTimeField(label="From (UTC)", widget=forms.DateTimeInput({"type": "datetime-local"}))
    until = forms.DateTimeField(
        label="To (UTC; empty: now)", required=False, widget=forms.DateTimeInput({"type": "datetime-local"})
    )

    def moments(self) -> tuple[int, int]:
        """UTC microseconds; 0: now."""
        since, until = self.cleaned_data["since"], self.cleaned_data["until"]
        return int(since.timestamp() * 1_000_000), int(until.timestamp() * 1_000_000) if until else 0
