"""Words, patterns and exceptions as a form, and a text to try them on."""

from typing import Any, Final

from django import forms

from carepost.console import fields
from carepost.detection.entries import KINDS, Entry, Recipient, Sender
from carepost.phi.explain import name
from carepost.phi.types import Exemption, Pattern, Score, Strength, Word
from carepost.tenancy.names import Wrong

_WHAT: Final = (
    ("word", "a word or phrase that counts"),
    ("pattern", "a pattern that counts, such as your record numbers"),
    ("phrase", "a text inside which nothing counts, such as a footer"),
    ("form", "a pattern inside which nothing counts"),
    ("kind", "a whole kind of finding that never counts"),
    ("sender", "a sender or sender domain whose mail is not read"),
    ("recipient", "a recipient or domain: what goes there is not read"),
)


class WordForm(forms.Form):
    what = forms.ChoiceField(label="What", choices=_WHAT)
    name = forms.CharField(
        label="Name", max_length=63, widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Give it a short name."},
    )  # fmt: skip
    text = fields.exact("Word, pattern, text, address or domain", 2_000)
    kind = forms.ChoiceField(
        label="Kind of finding", required=False, choices=[("", "none"), *((one, name(one)) for one in KINDS)]
    )
    counts = forms.ChoiceField(
        label="Counts as", required=False,
        choices=[("health", "health information"), ("identifier", "an identifier of a person")],
    )  # fmt: skip
    alone = forms.BooleanField(label="It is enough alone", required=False)
    near = forms.CharField(
        label="Only near one of these words (with commas)", required=False, max_length=2_000,
        widget=forms.TextInput({"autocomplete": "off"}),
    )  # fmt: skip
    reason = forms.CharField(
        label="Reason (kept with the version)", max_length=500, widget=forms.TextInput({"autocomplete": "off"}),
        error_messages={"required": "Say why; it is kept with the version."},
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("what") == "kind":
            if not given.get("kind"):
                self.add_error("kind", "Choose the kind that never counts.")
        elif not given.get("text"):
            self.add_error("text", "Say which.")
        return given

    def entry(self) -> Entry:
        given = self.cleaned_data
        what, called, text = given["what"], given["name"].strip(), given["text"].strip()
        score = Score.IDENTIFIER if given["counts"] == "identifier" else Score.HEALTH
        strength = Strength.STRONG if given["alone"] else Strength.WEAK
        near = tuple(one.strip() for one in given["near"].split(",") if one.strip())
        made: dict[str, Entry] = {
            "word": Word(called, text, score, strength),
            "pattern": Pattern(called, text, score, strength, near),
            "phrase": Exemption(called, phrase=text),
            "form": Exemption(called, pattern=text),
            "kind": Exemption(called, kind=given["kind"]),
            "sender": Sender(called, text),
            "recipient": Recipient(called, text),
        }
        return made[what]

    def refused(self, wrong: Wrong) -> None:
        """Beside the field that it is about, where it is about one."""
        public = wrong.public
        if wrong.code == "kind":
            self.add_error("kind", public)
        elif wrong.code == "name" or "an id has" in public:
            self.add_error("name", public)
        elif "keyword" in public:
            self.add_error("near", public)
        elif wrong.code in ("words", "who") and not public.startswith("At most"):
            self.add_error("text", public)
        else:
            self.add_error(None, public)


class TryForm(forms.Form):
    subject = forms.CharField(
        label="Subject", required=False, max_length=998, widget=forms.TextInput({"autocomplete": "off"})
    )
    text = forms.CharField(
        label="Text", required=False, strip=False, max_length=200_000,
        widget=forms.Textarea({"rows": 6, "autocomplete": "off"}),
    )  # fmt: skip
