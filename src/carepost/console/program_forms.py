"""What is entered about keys and credentials of programs."""

from typing import Any, Final

from django import forms

from carepost.console import fields
from carepost.directory import keywords
from carepost.tenancy.permissions import Scope

_BOX: Final = {"class": "form-check-input"}
_WORDS: Final = {
    Scope.SEND: "Send messages", Scope.PREVIEW: "Ask how a message would go, without sending",
    Scope.MESSAGES: "Read messages and how they went", Scope.SEARCH: "Find messages",
    Scope.PROOF: "Fetch proofs", Scope.RETRACT: "Take messages back", Scope.HELD: "Release or refuse held messages",
    Scope.TEMPLATES: "Templates and files", Scope.SUPPRESSIONS: "Addresses that get no mail",
    Scope.CERTIFICATES: "Recipients’ certificates and keys",
    Scope.OWN_KEYS: "The organisation’s own keys and authority, never their private parts",
    Scope.DOMAINS: "Sender domains", Scope.WEBHOOKS: "Webhooks", Scope.EVENTS: "Read the audit log",
    Scope.SENDING: "Sending addresses, pools and limits", Scope.TRACKING: "Opens and clicks",
    Scope.DESTINATIONS: "How the domains that mail goes to stand",
    Scope.ROUTES: "Pin next hops: say where a domain’s mail goes",
    Scope.JOBS: "Work on many messages, and exports", Scope.KEYS: "Make other keys, of no more than its own scopes",
}  # fmt: skip
#: what most programs need
_FIRST: Final = (Scope.SEND, Scope.MESSAGES)


class KeyForm(forms.Form):
    name = forms.CharField(
        label="What it is for", max_length=200,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "Appointment reminders"}),
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(
        label="What it may do", choices=[(one.value, _WORDS[one]) for one in _WORDS],
        initial=[one.value for one in _FIRST], widget=forms.CheckboxSelectMultiple(_BOX),
        error_messages={"required": "Tick at least one thing it may do."},
    )  # fmt: skip
    test = forms.BooleanField(
        label="Only for tests: what it sends is checked and sealed, and never leaves", required=False
    )
    per_minute = forms.IntegerField(
        label="Most requests or messages a minute (empty: no limit of its own)", required=False, min_value=1,
        max_value=keywords.MOST,
    )  # fmt: skip

    def words(self) -> list[str]:
        given: dict[str, Any] = self.cleaned_data
        return [*given["scopes"], *([keywords.TEST] if given["test"] else [])]


class CredentialForm(forms.Form):
    name = forms.CharField(
        label="What it is for", max_length=200,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "Practice software, front desk"}),
    )  # fmt: skip
    domains = forms.MultipleChoiceField(
        label="Only from these sender domains", required=False, widget=forms.CheckboxSelectMultiple(_BOX)
    )

    def __init__(self, *args: Any, domains: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choosing = self.fields["domains"]
        assert isinstance(choosing, forms.MultipleChoiceField)
        choosing.choices = [(one, one) for one in domains]


class LimitForm(forms.Form):
    per_minute = forms.IntegerField(
        label="Most requests or messages a minute (empty: no limit of its own)", required=False, min_value=1,
        max_value=keywords.MOST,
    )  # fmt: skip


class EndForm(forms.Form):
    reason = fields.reason("The practice software was replaced")
