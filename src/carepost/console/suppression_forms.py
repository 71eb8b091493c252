"""What is asked about the suppression list, and put on it."""

from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile

from carepost.console import fields
from carepost.console.search_form import midnight
from carepost.tenancy.actions.suppression import REASONS, SCOPES

#: octets of a file that is looked at while one waits, and of one that is looked at in the background (ui.uploads)
MOST: Final = 1_000_000
LARGEST: Final = 24_000_000
#: as people say them
WHY: Final = {
    "bounce": "Bounced: the address does not work", "soft-bounces": "Bounced too often",
    "complaint": "Complained", "unsubscribe": "Unsubscribed", "request": "Asked for, or put there by hand",
}  # fmt: skip
WHAT: Final = {
    "all": "all mail", "marketing": "marketing mail", "operational": "operational mail",
    "transactional": "transactional mail",
}  # fmt: skip
BY: Final = {
    "staff": "a member of staff", "api": "a program with an API key", "import": "an import",
    "report": "a report that came back", "reply": "the answer of a mail server", "complaint": "a complaint",
    "one-click": "the link in a message",
}  # fmt: skip
_ENDS: Final = [("", "any"), ("yes", "with an end"), ("no", "without an end"), ("over", "passed: kept back no longer")]


def _select(label: str, first: str, given: dict[str, str], names: tuple[str, ...]) -> forms.ChoiceField:
    choices = ([("", first)] if first else []) + [(name, given.get(name, name)) for name in names]
    return forms.ChoiceField(
        label=label, required=not first, choices=choices, widget=forms.Select({"class": "form-select"})
    )


class ListForm(forms.Form):
    address = fields.text("Address")
    reason = _select("Reason", "any", WHY, REASONS)
    scope = _select("What is kept back", "any", WHAT, SCOPES)
    ends = forms.ChoiceField(label="End", required=False, choices=_ENDS, widget=forms.Select({"class": "form-select"}))
    cursor = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput())

    def __init__(self, data: Any = None) -> None:
        # beside the form that adds an address, whose fields are called alike
        super().__init__(data, auto_id="find_%s")

    def asked(self) -> bool:
        return any(self.cleaned_data.get(name) for name in ("address", "reason", "scope", "ends"))

    def kept(self) -> list[tuple[str, str]]:
        return [(name, self.data.get(name, "")) for name in self.fields if name != "cursor"]


class AddForm(forms.Form):
    address = forms.CharField(
        label="Address nothing is to be sent to", max_length=320, widget=forms.TextInput({"autocomplete": "off"})
    )
    scope = _select("What is kept back", "", WHAT, SCOPES)
    until = forms.DateField(
        label="Until (day, UTC; empty: without an end)", required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    note = fields.reason("Why; kept with the entry, sealed")

    def end(self) -> int:
        """UTC microseconds; 0 for none."""
        return midnight(self.cleaned_data.get("until"))


class ImportForm(forms.Form):
    file = forms.FileField(
        label="A file (CSV with a header line, or lines of JSON), one column named address", required=False,
        widget=forms.FileInput({"class": "form-control", "accept": ".csv,.ndjson,.jsonl,.txt"}),
    )  # fmt: skip
    #: the file was left out of the request
    too_large = False
    #: what was looked at, carried on to the import
    text = forms.CharField(
        required=False, max_length=MOST, strip=False, widget=forms.Textarea({"hidden": True, "aria-hidden": "true"})
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        file: UploadedFile[Any] | None = given.get("file")
        if self.too_large or (file is not None and (file.size or 0) > LARGEST):
            self.add_error("file", "At most 24 MB here; `carepost suppression import --job` takes 256 MB.")
        elif file is None and not given.get("text"):
            self.add_error("file", "Choose a file.")
        return given

    def large(self) -> bool:
        """Too much to be looked at while one waits."""
        file: UploadedFile[Any] | None = self.cleaned_data.get("file")
        return file is not None and (file.size or 0) > MOST

    def raw(self) -> bytes:
        file: UploadedFile[Any] | None = self.cleaned_data.get("file")
        return bytes(file.read()) if file is not None else str(self.cleaned_data["text"]).encode()
