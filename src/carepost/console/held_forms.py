"""What reviewers enter."""

from typing import Any
from uuid import UUID

from django import forms

from carepost.review.acts import LONGEST, MOST

_VERBS = [("release", "release"), ("refuse", "refuse")]
_LETTERS = [("at-once", "at once, and daily while something waits"), ("daily", "daily"), ("off", "never")]


class _Deliveries(forms.Field):
    """Ids, one or several under the same name."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[UUID]:
        try:
            return [UUID(str(one)) for one in dict.fromkeys(value or [])]
        except ValueError:
            raise forms.ValidationError("This is no delivery.") from None

    def validate(self, value: list[UUID]) -> None:
        if not 1 <= len(value) <= MOST:
            raise forms.ValidationError("Choose at least one delivery.")


class DecideForm(forms.Form):
    delivery = _Deliveries()
    verb = forms.ChoiceField(choices=_VERBS)
    method = forms.CharField(required=False, max_length=20)
    reason = forms.CharField(required=False, max_length=LONGEST)
    note = forms.CharField(required=False, max_length=LONGEST)
    from_list = forms.BooleanField(required=False)
    confirmed = forms.BooleanField(required=False)


class LettersForm(forms.Form):
    letters = forms.ChoiceField(
        label="A letter says that something waits", choices=_LETTERS, widget=forms.Select({"class": "form-select"})
    )
    address = forms.CharField(
        label="To this address (empty: everybody who may release)", required=False, max_length=320,
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )  # fmt: skip
    remind = forms.IntegerField(
        label="Again so many hours before its time is over (0: never)", min_value=0, max_value=744,
        widget=forms.NumberInput({"class": "form-control"}),
    )  # fmt: skip
    reason = forms.CharField(
        label="Reason (kept with the event)", max_length=500,
        error_messages={"required": "Say why; it is kept with the event."},
        widget=forms.TextInput({"class": "form-control", "autocomplete": "off"}),
    )  # fmt: skip
