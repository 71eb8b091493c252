"""Fields that stand in more than one form."""

from django import forms

_REASON = "Say why; it is kept with the event."


def text(label: str, hint: str = "", longest: int = 320) -> forms.CharField:
    """One line that may stay empty."""
    attributes = {"class": "form-control", "autocomplete": "off"} | ({"placeholder": hint} if hint else {})
    return forms.CharField(label=label, required=False, max_length=longest, widget=forms.TextInput(attributes))


def reason(hint: str = "") -> forms.CharField:
    """Why, of what must not be done without saying it."""
    attributes = {"autocomplete": "off"} | ({"placeholder": hint} if hint else {})
    return forms.CharField(
        label="Reason (kept with the event)", max_length=500, error_messages={"required": _REASON},
        widget=forms.TextInput(attributes),
    )  # fmt: skip


def lines(label: str, longest: int, *, rows: int) -> forms.CharField:
    """Several lines that may stay empty, of what is no prose: addresses, keys, certificates."""
    widget = forms.Textarea({"rows": rows, "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, max_length=longest, widget=widget)


def exact(label: str, longest: int) -> forms.CharField:
    """One line that may stay empty, of what is no prose: an address, a code."""
    widget = forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, required=False, max_length=longest, widget=widget)
