"""What is to be done with all messages of a search, or with one that is sent again."""

from typing import Any

from django import forms

from carepost.jobs.types import Kind

#: kind -> (label, what it does)
KINDS = {
    Kind.RETRY: ("Try again now", "Another attempt at once for recipients whose copy waits to be tried again."),
    Kind.RETRACT: ("Take back", "Nobody gets it who has not got it yet; in the portal nobody can read it any more."),
    Kind.RESEND: (
        "Send again", "A new message to recipients who were served or failed, while its content is still held.",
    ),
    Kind.MESSAGES: ("Export", "A file of these messages and what became of them; it is kept for a day."),
}  # fmt: skip
_WHY = "Say why; it is kept with each event."


class JobForm(forms.Form):
    kind = forms.ChoiceField(choices=[(kind.value, label) for kind, (label, _) in KINDS.items()])
    reason = forms.CharField(required=False, max_length=500)
    form = forms.ChoiceField(required=False, choices=[("csv", "table (CSV)"), ("ndjson", "lines of JSON")])
    as_today = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        acts = given.get("kind") not in (None, Kind.MESSAGES.value)
        if acts and not str(given.get("reason", "")).strip():
            self.add_error("reason", _WHY)
        return given


class ResendForm(forms.Form):
    reason = forms.CharField(max_length=500, error_messages={"required": "Say why; it is kept with the event."})
    as_today = forms.BooleanField(required=False)
