"""What is entered about the people who work here."""

from typing import Any, Final

from django import forms

from carepost.console import fields
from carepost.tenancy.permissions import Role

_WORDS: Final = {
    Role.ADMINISTRATOR: "Administrator: everything, and who else may",
    Role.OPERATOR: "Operator: finds and reads messages, releases what is held, writes",
    Role.AUDITOR: "Auditor: finds messages, proofs and the audit log; reads no message",
    Role.SENDER: "Sender: writes and sends",
}
ROLES: Final = [(one.value, _WORDS[one]) for one in Role]


class PersonForm(forms.Form):
    name = forms.CharField(label="Name", max_length=200, widget=forms.TextInput({"autocomplete": "off"}))
    email = forms.CharField(
        label="Email (signs in with it)", max_length=320,
        widget=forms.EmailInput({"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    role = forms.ChoiceField(
        label="Role", choices=ROLES, widget=forms.RadioSelect({"class": "form-check-input"}),
        error_messages={"required": "Choose what they may do."},
    )  # fmt: skip


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(
        label="Roles", choices=ROLES, widget=forms.CheckboxSelectMultiple({"class": "form-check-input"}),
        error_messages={"required": "Leave at least one role, or disable the person."},
    )  # fmt: skip
    reason = fields.reason()

    def changes(self, now: frozenset[str]) -> tuple[list[str], list[str]]:
        """(roles to give, roles to take), in the order of `Role`."""
        given: dict[str, Any] = self.cleaned_data
        wanted = set(given["roles"])
        return [r for r, _ in ROLES if r in wanted - now], [r for r, _ in ROLES if r in now - wanted]
