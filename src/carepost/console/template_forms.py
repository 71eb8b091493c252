"""The form of a template: what is written, and example values to look at it with."""

import msgspec
from django import forms

from carepost.console import fields
from carepost.rendering.types import MAX_VARIABLES, Source

_HTML, _MJML = "html", "mjml"


class TemplateForm(forms.Form):
    name = forms.CharField(
        label="Name, for colleagues", max_length=200, widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Give it a name; recipients do not see it."},
    )  # fmt: skip
    subject = forms.CharField(
        label="Subject", max_length=998, widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Write the subject; it may hold variables."},
    )  # fmt: skip
    kind = forms.ChoiceField(
        label="Written in", choices=[(_MJML, "MJML: fits telephones by itself"), (_HTML, "HTML")], initial=_MJML
    )
    body = forms.CharField(label="Message", required=False, widget=forms.Textarea({"rows": 16, "spellcheck": "false"}))
    text = forms.CharField(
        label="Text part, for readers without HTML (made from the message when left empty)", required=False,
        widget=forms.Textarea({"rows": 5}),
    )  # fmt: skip
    note = fields.text("What is new, for colleagues", longest=500)
    variables = forms.CharField(
        label="Example values to look at it with (JSON; kept nowhere)", required=False, max_length=MAX_VARIABLES,
        widget=forms.Textarea({"rows": 4, "spellcheck": "false"}),
    )  # fmt: skip

    def source(self) -> Source:
        given = self.cleaned_data
        return Source(given["subject"], given["body"], given["text"], given["kind"] == _MJML)

    def example(self) -> bytes:
        raw: bytes = self.cleaned_data["variables"].strip().encode() or b"{}"
        return raw

    def clean_variables(self) -> str:
        raw: str = self.cleaned_data["variables"]
        try:
            msgspec.json.decode(raw.strip() or "{}", type=dict)
        except (msgspec.DecodeError, RecursionError):
            raise forms.ValidationError('Write a JSON object, such as {"name": "Ann"}.') from None
        return raw

    @classmethod
    def of(cls, name: str, source: Source, variables: tuple[str, ...]) -> "TemplateForm":
        example = msgspec.json.format(msgspec.json.encode(dict.fromkeys(variables, "…")), indent=2).decode()
        return cls(
            initial={
                "name": name, "subject": source.subject, "kind": _MJML if source.mjml else _HTML, "body": source.html,
                "text": source.text, "variables": example,
            }
        )  # fmt: skip
