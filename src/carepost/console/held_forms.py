"""What reviewers enter."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms

from carepost.console import fields
from carepost.intake import agreed
from carepost.review import words
from carepost.review.acts import LONGEST, MOST
from carepost.wire.types import HeldFilter

_DAY = forms.DateInput({"type": "date"})
_VERBS = [("release", "release"), ("refuse", "refuse")]
_LETTERS = [("at-once", "at once, and daily while something waits"), ("daily", "daily"), ("off", "never")]


class FilterForm(forms.Form):
    kind = forms.ChoiceField(label="Why it waits", required=False)
    who = forms.ChoiceField(label="Who may release it", required=False)
    sender_domain = fields.exact("Sender’s domain", 253)
    recipient_domain = fields.exact("Recipient’s domain", 253)
    since = forms.DateField(label="Held from (day, UTC)", required=False, widget=_DAY)
    until = forms.DateField(label="Held up to (day, UTC)", required=False, widget=_DAY)
    rule = fields.exact("Rule", 64)
    cursor = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(key, short) for key, (short, _) in words.KINDS.items() if key != "other"]
        self.fields["kind"].choices = [("", "any reason"), *kinds]  # type: ignore[attr-defined]
        self.fields["who"].choices = [("", "anybody"), *words.WHO.items()]  # type: ignore[attr-defined]

    def only(self) -> HeldFilter:
        given = self.cleaned_data
        return HeldFilter(
            given["sender_domain"].strip().removeprefix("@"),
            given["recipient_domain"].strip().removeprefix("@"),
            _microseconds(given["since"], 0),
            _microseconds(given["until"], 1),
            given["rule"].strip(),
            given["who"],
        )

    def anything(self) -> bool:
        """Whether anything is asked for at all."""
        return any(value for name, value in self.cleaned_data.items() if name != "cursor")


def _microseconds(day: date | None, later: int) -> int:
    """When a day begins, so many days later; 0 where none is said."""
    return int(datetime.combine(day + timedelta(later), time(), UTC).timestamp()) * 1_000_000 if day else 0


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


class AgreeForm(forms.Form):
    """What was agreed. Code and answer are never shown again, also not where something else was wrong."""

    kind = forms.ChoiceField(choices=[("code", "code"), ("question", "question")], initial="code")
    code = forms.CharField(required=False, max_length=agreed.LONGEST_CODE)
    question = forms.CharField(required=False, max_length=agreed.LONGEST_QUESTION)
    answer = forms.CharField(required=False, max_length=agreed.LONGEST_CODE)
    reason = forms.CharField(required=False, max_length=LONGEST)

    def given(self) -> dict[str, str]:
        """As `review.acts.agree` takes it: what the kind chosen does not ask for counts nothing. Where a question was
        filled in and no code, that was meant."""
        told = self.cleaned_data
        asked = bool(told["question"] or told["answer"]) and not told["code"]
        if told["kind"] == "code" and not asked:
            return {"code": told["code"]}
        return {"question": told["question"], "answer": told["answer"]}


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
