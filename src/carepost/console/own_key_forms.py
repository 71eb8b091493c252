"""What is entered about the organisation's own keys. A file with a private key is used once and kept nowhere."""

from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.forms.boundfield import BoundField

from carepost.console import fields
from carepost.ground.errors import CarepostError
from carepost.keyring.own_making import MOST_BYTES
from carepost.tenancy.actions.suppression import spelt

#: value -> (method, algorithm, words)
KINDS: Final = {
    "smime:rsa-3072": "S/MIME, RSA 3072: every mail program reads it",
    "smime:ec-p256": "S/MIME, P-256: faster, for current programs",
    "openpgp:curve25519": "OpenPGP, Curve25519: what current programs read",
    "openpgp:rsa3072": "OpenPGP, RSA 3072: where a partner’s rules ask for it",
}
#: who makes the certificate of an S/MIME key
HERE, OURS, REQUEST = "here", "ours", "request"
_BY: Final = {
    HERE: "The key itself: it is used at once; partners pin it",
    OURS: "Our own authority: it is used at once, and renewed by itself",
    REQUEST: "Another authority: you get a request for it, and install what it makes",
}
#: what the list of our own authority says of a revoked key (crypto.smime.authority.CAUSES)
_CAUSES: Final = [
    ("unspecified", "nothing more"), ("key-compromise", "somebody else may have the key"),
    ("affiliation-changed", "its owner left"), ("superseded", "another took its place"),
    ("cessation", "it is needed no more"),
]  # fmt: skip


def _by(authority: bool) -> list[tuple[str, str]]:
    return [(value, words) for value, words in _BY.items() if authority or value != OURS]


def _overlap(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=f"{label} (days; empty: as long as content is kept)", required=False, min_value=0, max_value=36_500
    )


def _address() -> forms.CharField:
    return forms.CharField(
        label="Address", max_length=320, required=False,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "placeholder": "office@clinic.example"}),
    )  # fmt: skip


class _Own(forms.Form):
    """`FURTHER` names the fields most people leave as they are."""

    FURTHER: tuple[str, ...] = ()

    def first(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name not in self.FURTHER]

    def further(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name in self.FURTHER]

    def opens(self) -> bool:
        """Whether what stands folded must be seen: it was filled in, or has an error."""
        return any(field.errors or (self.is_bound and field.value()) for field in self.further())

    def clean_address(self) -> str:
        given = str(self.cleaned_data.get("address", "")).strip()
        try:
            return spelt(given) if given else ""
        except CarepostError as error:
            raise forms.ValidationError(error.public) from None


class NewKeyForm(_Own):
    address = _address()
    shared = forms.BooleanField(
        label="The organisation’s key: it signs for everyone who has none of their own, and opens for all",
        required=False,
    )
    kind = forms.ChoiceField(label="Kind of key", choices=list(KINDS.items()))
    name = fields.text("Name in the certificate", longest=64)
    by = forms.ChoiceField(label="Who vouches for it (S/MIME)", choices=_by(True), required=False, initial=HERE)
    overlap = _overlap("How long a key it replaces goes on opening")
    reason = fields.reason()
    #: stand apart, folded
    FURTHER = ("name", "by", "overlap")

    def __init__(self, *args: Any, authority: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["by"].choices = _by(authority)  # type: ignore[attr-defined]

    def clean_address(self) -> str:
        address = super().clean_address()
        if not address:
            raise forms.ValidationError("Say whose key it is: an address at one of the sender domains.")
        return address

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        given["by"] = given.get("by") or HERE
        if given["by"] != HERE and not str(given.get("kind", "")).startswith("smime:"):
            self.add_error("by", "Authorities certify S/MIME keys: choose that kind, or let the key vouch for itself.")
        return given


class WhyForm(forms.Form):
    """Of an act that asks nothing but why."""

    reason = fields.reason()


class ReplaceForm(forms.Form):
    by = forms.ChoiceField(label="Who vouches for the new key", choices=_by(True), required=False)
    overlap = _overlap("How long the present key goes on opening")
    reason = fields.reason("yearly change")

    def __init__(self, *args: Any, smime: bool, authority: bool, ours: bool, **kwargs: Any) -> None:
        """`authority`: the organisation's own issues. `ours`: it certified the present key."""
        super().__init__(*args, **kwargs)
        self.initial["by"] = OURS if ours and authority else HERE
        self.fields["by"].choices = _by(authority)  # type: ignore[attr-defined]
        if not smime:
            del self.fields["by"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        given["by"] = given.get("by") or str(self.initial["by"])
        if "by" not in self.fields:
            given["by"] = HERE
        return given


class RevokeForm(forms.Form):
    cause = forms.ChoiceField(label="What our authority’s list says of it", choices=_CAUSES, required=False)
    reason = fields.reason()

    def __init__(self, *args: Any, ours: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not ours:
            del self.fields["cause"]


class AuthorityForm(forms.Form):
    kind = forms.ChoiceField(
        label="Kind of key", choices=[("rsa-3072", "RSA 3072: every mail program reads it"), ("ec-p384", "P-384")]
    )
    where = fields.text(
        "Address of the portal’s host as certificates name it (empty: the portal’s)",
        "http://portal.clinic.example",
        200,
    )
    reason = fields.reason()


class BringInForm(_Own):
    file = forms.FileField(label="PKCS#12 file (.p12, .pfx), or an OpenPGP secret key")
    passphrase = forms.CharField(
        label="Passphrase of the file", required=False, max_length=1000, strip=False,
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )  # fmt: skip
    address = _address()
    shared = NewKeyForm.base_fields["shared"]
    former = forms.BooleanField(
        label="A former key: it signs nothing, and opens what was encrypted to it once", required=False
    )
    reason = fields.reason()
    #: stand apart, folded
    FURTHER = ("address", "shared", "former")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["address"].label = "Whose it is (empty: as its certificate says)"

    def raw(self) -> bytes:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        return bytes(file.read(MOST_BYTES + 1))


class InstallForm(forms.Form):
    file = forms.FileField(label="The certificate, with those of its issuers (PEM, DER or PKCS#7)")
    reason = fields.reason()

    def raw(self) -> bytes:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        return bytes(file.read(MOST_BYTES + 1))
