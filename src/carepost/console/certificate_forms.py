"""What is entered about recipients' certificates. An address is personal: it comes by POST and stands in no address."""

import base64
import binascii
from typing import Any, Final

import msgspec
from django import forms
from django.core.files.uploadedfile import UploadedFile

from carepost.console import fields
from carepost.ground.errors import CarepostError, Refused
from carepost.keyring.reading import MOST_BYTES
from carepost.tenancy.actions.suppression import spelt

#: files of one import in the console; the command line takes more
MOST_FILES: Final = 20
#: their octets together: they travel once more inside the page that shows what would happen
MOST_TOGETHER: Final = 1_000_000
_KNOWN: Final = "How you know that it is theirs"
_encode = msgspec.msgpack.Encoder().encode
_carried = msgspec.msgpack.Decoder(list[tuple[str, bytes]])


class CertificateSearch(forms.Form):
    address = fields.exact("Address of the recipient", 320)
    attention = forms.BooleanField(label="Only those that end soon, ran out, or changed", required=False)
    cursor = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput())

    def clean_address(self) -> str:
        given = str(self.cleaned_data["address"]).strip()
        return _address(given) if given else ""


def _address(given: str) -> str:
    try:
        return spelt(given)
    except CarepostError as error:
        raise forms.ValidationError(error.public) from None


class CertificateForm(forms.Form):
    address = forms.CharField(
        label="Address of the recipient", max_length=320,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    file = forms.FileField(label="The certificate as a file", required=False)
    text = fields.lines("Or paste it: the lines from BEGIN to END", MOST_BYTES, rows=6)
    reason = fields.reason(_KNOWN)

    def clean_address(self) -> str:
        return _address(str(self.cleaned_data["address"]))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("file") and not (given.get("text") or "").strip() and not self.errors:
            self.add_error("file", "Choose a file, or paste the certificate.")
        return given

    def raw(self) -> bytes:
        """As given; the file counts where both are."""
        file: UploadedFile[Any] | None = self.cleaned_data.get("file")
        if file:
            return bytes(file.read(MOST_BYTES + 1))
        return str(self.cleaned_data["text"]).encode("utf-8", "replace")


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class _SeveralFiles(forms.FileField):
    """Cleans to a list."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> Any:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if not given:
            raise forms.ValidationError("Choose the files.", code="required")
        if len(given) > MOST_FILES:
            raise forms.ValidationError(f"Choose at most {MOST_FILES} files at a time.")
        return [super(_SeveralFiles, self).clean(one, initial) for one in given]


class SeveralForm(forms.Form):
    several = _SeveralFiles(label="The files, each named by its address, as in bo@partner.example.pem")
    reason = fields.reason(_KNOWN)

    def read(self) -> list[tuple[str, bytes]]:
        """(name of the file, its octets). Raises Refused: too much together."""
        found = [(str(file.name), bytes(file.read(MOST_BYTES + 1))) for file in self.cleaned_data["several"]]
        if sum(len(data) for _, data in found) > MOST_TOGETHER:
            raise Refused("too-much", "Together the files are larger than 1 MB; hand them in in parts.", status=413)
        return found


class AgreedForm(forms.Form):
    """What was shown, sent once more."""

    carried = forms.CharField(max_length=2 * MOST_TOGETHER, widget=forms.HiddenInput())
    reason = forms.CharField(max_length=500, widget=forms.HiddenInput())

    def clean_carried(self) -> list[tuple[str, bytes]]:
        try:
            lines = _carried.decode(base64.b64decode(self.cleaned_data["carried"], b"-_", validate=True))
        except (binascii.Error, ValueError):
            raise forms.ValidationError("Choose the files again.") from None
        if len(lines) > MOST_FILES:
            raise forms.ValidationError("Choose the files again.")
        return lines


def carry(lines: list[tuple[str, bytes]]) -> str:
    return base64.urlsafe_b64encode(_encode(lines)).decode()
