"""What is entered about how mail leaves: pools, addresses, limits, and why a pause is lifted."""

from typing import Any, Final

from django import forms

from carepost.console import fields
from carepost.destinations import ways
from carepost.destinations.ways import LimitLine
from carepost.directory.types import MOST_AHEAD
from carepost.pace import providers
from carepost.pace.limits import Limits
from carepost.wire.types import Stream

_BOX: Final = {"class": "form-check-input"}
STREAMS: Final = (
    (Stream.TRANSACTIONAL.value, "Transactional: results, letters, what somebody waits for"),
    (Stream.OPERATIONAL.value, "Operational: reminders and other routine mail"),
    (Stream.BULK.value, "Marketing"),
    (Stream.SYSTEM.value, "Notices and reports of this system"),
)
STATES: Final = (
    ("active", "In use"),
    ("draining", "Only for what no other address of the pool can take"),
    ("paused", "Not used"),
)


class PoolForm(forms.Form):
    name = forms.CharField(
        label="Short name", max_length=40,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "campaigns", "spellcheck": "false"}),
    )  # fmt: skip
    streams = forms.MultipleChoiceField(
        label="Which mail (none ticked: all of it)", choices=STREAMS, required=False,
        widget=forms.CheckboxSelectMultiple(_BOX),
    )  # fmt: skip
    domain = fields.text("Only mail from this sender domain (empty: from all)", longest=255)


class AddressForm(forms.Form):
    ip = forms.CharField(
        label="IP address", max_length=45,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "192.0.2.10", "spellcheck": "false"}),
    )  # fmt: skip
    helo = fields.text("Host name it answers to, as its reverse DNS says (empty: the system’s)", "out1.clinic.example")
    pool = forms.ChoiceField(label="Pool", choices=())
    warm = forms.BooleanField(
        label="It is new: begin with 50 messages a day to each provider, and more each day",
        required=False,
        initial=True,
    )
    usual = forms.IntegerField(
        label="Messages a day to one provider at which that ends (empty: when nothing holds it back)", required=False,
        min_value=0, max_value=10_000_000,
    )  # fmt: skip

    def __init__(self, *args: Any, pools: list[ways.PoolLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["pool"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(one.name, one.name) for one in pools]


class ChangeForm(forms.Form):
    state = forms.ChoiceField(label="Use", choices=STATES)
    pool = forms.ChoiceField(label="Pool", choices=())
    helo = fields.text("Host name it answers to (empty: the system’s)")
    reason = fields.reason()

    def __init__(self, *args: Any, pools: list[ways.PoolLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["pool"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(one.name, one.name) for one in pools]


def _number(label: str, highest: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, max_value=highest)


class LimitForm(forms.Form):
    provider = forms.CharField(
        label="Provider", max_length=255,
        widget=forms.TextInput({"autocomplete": "off", "list": "providers", "placeholder": "gmail"}),
    )  # fmt: skip
    connections = _number("Connections at once", 200)
    messages = _number("Messages on one connection", 10_000)
    per_minute = _number("Messages a minute", 600_000)
    per_hour = _number("Messages an hour", 10_000_000)
    reason = fields.reason("The provider’s postmaster asked us to")

    @classmethod
    def of(cls, line: LimitLine) -> "LimitForm":
        own = line.limits
        shown = {name: getattr(own, name) or None for name in ("connections", "messages", "per_minute", "per_hour")}
        return cls(initial={"provider": line.provider, **shown})

    def limits(self) -> Limits:
        given = self.cleaned_data
        return Limits(
            connections=given["connections"] or 0, messages=given["messages"] or 0,
            per_minute=given["per_minute"] or 0, per_hour=given["per_hour"] or 0,
        )  # fmt: skip


class AheadForm(forms.Form):
    days = forms.IntegerField(
        label="Days", min_value=1, max_value=MOST_AHEAD, widget=forms.NumberInput({"class": "form-control"})
    )
    reason = fields.reason()


class ReasonForm(forms.Form):
    reason = fields.reason()


def provider_names() -> list[tuple[str, str]]:
    return [(one.id, one.name) for one in providers.TABLE.values()]
