"""The form of the page "Write": what is typed, read as a draft."""

from typing import Final

from django import forms

from carepost.console import fields
from carepost.drafts.types import Written

_TYPED: Final = ("to", "cc", "bcc", "reply_to", "subject", "text", "reason")


class WriteForm(forms.Form):
    to = fields.lines("To", 20_000, rows=1)
    cc = fields.lines("Cc", 20_000, rows=1)
    bcc = fields.lines("Bcc", 20_000, rows=1)
    reply_to = fields.exact("Answers go to", 320)
    subject = forms.CharField(
        label="Subject", required=False, max_length=998, widget=forms.TextInput({"autocomplete": "off"})
    )
    text = forms.CharField(
        label="Message", required=False, strip=False, max_length=1_000_000, widget=forms.Textarea({"rows": 12})
    )
    formatted = forms.BooleanField(label="Light formatting", required=False)
    reason = forms.CharField(
        label="Reason for sending (kept with the event)", required=False, max_length=500,
        widget=forms.TextInput({"autocomplete": "off"}),
    )  # fmt: skip
    code = fields.exact("Access code agreed with the recipient", 128)

    def written(self) -> Written:
        given = {name: str(self.cleaned_data.get(name, "")) for name in _TYPED}
        given["text"] = given["text"].replace("\r\n", "\n")
        return Written(**given, formatted=bool(self.cleaned_data.get("formatted")))

    def code_given(self) -> str:
        return str(self.cleaned_data.get("code", "")).strip()
