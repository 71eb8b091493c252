"""What is entered about the organisation's own keys. A file with a private key is used once and kept nowhere."""

from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile

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
_OVERLAP: Final = "Days the key it replaces goes on opening (empty: as long as content is kept)"


def _address() -> forms.CharField:
    return forms.CharField(
        label="Address", max_length=320, required=False,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "placeholder": "office@clinic.example"}),
    )  # fmt: skip


class _Own(forms.Form):
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
    waiting = forms.BooleanField(
        label="An authority makes its certificate (S/MIME): it waits until you install that", required=False
    )
    ours = forms.BooleanField(label="Our own authority makes its certificate (S/MIME)", required=False)
    overlap = forms.IntegerField(label=_OVERLAP, required=False, min_value=0, max_value=36_500)
    reason = fields.reason()

    def __init__(self, *args: Any, authority: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not authority:
            del self.fields["ours"]

    def clean_address(self) -> str:
        address = super().clean_address()
        if not address:
            raise forms.ValidationError("Say whose key it is: an address at one of the sender domains.")
        return address

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("ours") and (given.get("waiting") or not str(given.get("kind", "")).startswith("smime:")):
            raise forms.ValidationError("Our own authority certifies S/MIME keys, and then no other one does.")
        return given


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
