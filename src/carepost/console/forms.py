"""What staff enter. Sizes are bounded; dates are days in UTC."""

from typing import Any

from django import forms

from carepost.console import fields


class DestinationSearch(forms.Form):
    domain = fields.text("Domain, or a part of one", longest=253)
    attention = forms.BooleanField(label="Only those that need attention", required=False)


class PinForm(forms.Form):
    """A pinned next hop. The CA's PEM is pasted; a key is what the page shows beside each host."""

    host = forms.CharField(label="Mail server", max_length=253)
    port = forms.IntegerField(label="Port", min_value=1, max_value=65_535)
    keys = fields.lines("Keys it may hold (SHA-256, 64 digits each; empty: any)", 800, rows=2)
    ca = fields.lines("Certificate authority (PEM; empty: those the system trusts)", 100_000, rows=3)
    else_hold = forms.BooleanField(
        label="Hold the message where the server does not prove itself; take no other way", required=False
    )
    reason = fields.reason()


class SettingsForm(forms.Form):
    notice_name = fields.text("Name that notices are signed with", longest=200)
    phone = fields.text("Telephone number in notices", longest=60)
    portal_url = fields.text("Where recipients find the portal (https://…)", longest=300)
    auditor = fields.text("Auditor’s address for daily checkpoints")
    alerts = fields.text("Address that is told when a destination loses protection, or a key changes or ends")
    reason = fields.text("Reason (kept with the event)", longest=500)


class HeaderForm(forms.Form):
    file = forms.FileField(
        label="The message as a file", required=False, widget=forms.FileInput({"class": "form-control"})
    )
    text = forms.CharField(
        label="Or paste the message, at least its whole header",
        required=False,
        strip=False,
        max_length=2_000_000,
        widget=forms.Textarea({"class": "form-control cs-mono", "rows": 10, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("file") and not (given.get("text") or "").strip() and not self.errors:
            self.add_error(None, "Choose a file, or paste the message.")
        return given

    def raw(self) -> bytes:
        """As given; the file counts where both are."""
        file = self.cleaned_data.get("file")
        return file.read() if file else str(self.cleaned_data["text"]).encode("utf-8", "replace")


class ActForm(forms.Form):
    verb = forms.ChoiceField(choices=[(v, v) for v in ("hold", "release", "retry", "retract")])
    reason = fields.reason()
