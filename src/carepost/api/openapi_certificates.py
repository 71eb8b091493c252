"""The part of the OpenAPI document that tells of recipients' certificates."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes_certificates as shapes
from carepost.keyring.select import Shown

ROOTS: Final = (
    shapes.Certificates, shapes.FindCertificates, shapes.AddCertificate, shapes.Why, shapes.ImportCertificates,
    shapes.ImportedCertificates, Shown,
)  # fmt: skip
_UUID: Final = {"type": "string", "format": "uuid"}
_LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation, parameter: Operation) -> dict[str, Any]:
    """`op`, `parameter`: as `api.openapi` makes an operation and a parameter."""
    every, one = "/api/v1/certificates", "/api/v1/certificates/{certificate}"
    named = [parameter("certificate", "path", _UUID)]
    page = [
        parameter("cursor", "query", _UUID), parameter("limit", "query", _LIMIT),
        parameter("attention", "query", {"type": "string", "enum": ["yes"]}),
    ]  # fmt: skip
    acts = {
        "pin": ("pinCertificate", "Vouch for it: it is used, in the place of another."),
        "distrust": ("distrustCertificate", "Never encrypt to it again."),
        "accept-renewed": ("acceptRenewedCertificate", "Take the same authority's next one for the same owner."),
    }
    return {
        every: {
            "get": op("listCertificates", "Recipients' certificates, newest first.", "Certificates", also=page),
            "post": op(
                "addCertificate", "Vouch for a certificate; it is pinned.", "Shown", body="AddCertificate", status="201"
            ),
        },
        f"{every}/search": {
            "post": op("findCertificates", "Those of one recipient.", "Certificates", body="FindCertificates")
        },
        f"{every}/import": {
            "post": op("importCertificates", "Many, or a try.", "ImportedCertificates", body="ImportCertificates")
        },
        one: {"get": op("getCertificate", "One of them.", "Shown", also=named)},
        **{
            f"{one}/{act}": {"post": op(name, words, "Shown", body="Why", also=named)}
            for act, (name, words) in acts.items()
        },
    }
