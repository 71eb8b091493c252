"""The part of the OpenAPI document that tells of the organisation's own keys and its authority."""

from collections.abc import Callable
from typing import Any, Final

from carepost.api import shapes_own_keys as shapes
from carepost.wire import ownkeys

ROOTS: Final = (
    ownkeys.OwnKeys, shapes.GenerateOwnKey, shapes.ImportOwnKey, ownkeys.ImportedOwnKey, shapes.RotateOwnKey,
    shapes.RevokeOwnKey, shapes.InstallOwnCertificate, shapes.CertifyOwnKey, shapes.SignAll, ownkeys.PublicPart,
    ownkeys.OwnAuthority, ownkeys.OwnAuthorities, ownkeys.OwnKey,
)  # fmt: skip
_UUID: Final = {"type": "string", "format": "uuid"}
_LIMIT: Final = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
_PART: Final = {"type": "string", "enum": ["certificate", "request"], "default": "certificate"}
_PERSON: Final = "Always refused (403, `person-needed`): "
Operation = Callable[..., dict[str, Any]]


def paths(op: Operation, parameter: Operation) -> dict[str, Any]:
    """`op`, `parameter`: as `api.openapi` makes an operation and a parameter."""
    every, one = "/api/v1/own-keys", "/api/v1/own-keys/{key}"
    named = [parameter("key", "path", _UUID)]
    page = [parameter("cursor", "query", _UUID), parameter("limit", "query", _LIMIT)]
    acts = {
        "revoke": ("revokeOwnKey", "It signs and opens nothing from now on.", "RevokeOwnKey"),
        "install": ("installOwnCertificate", "The certificate another authority made.", "InstallOwnCertificate"),
        "certify": ("certifyOwnKey", "Our authority's certificate for it, or a next one.", "CertifyOwnKey"),
        "sign-all": ("signAllWithOwnKey", "Sign also what leaves unencrypted, or no more.", "SignAll"),
        "keep-in": ("keepOwnKeyIn", "Its private part is never given out; no way back.", "Why"),
    }
    return {
        every: {
            "get": op("listOwnKeys", "The organisation's own keys, newest first.", "OwnKeys", also=page),
            "post": op("generateOwnKey", "A new key.", "OwnKey", body="GenerateOwnKey", status="201"),
        },
        f"{every}/import": {
            "post": op(
                "importOwnKey", "PKCS#12, or an OpenPGP secret key; or a try.", "ImportedOwnKey", body="ImportOwnKey",
                status="201", or_200=True,
            )
        },
        one: {"get": op("getOwnKey", "One of them.", "OwnKey", also=named)},
        f"{one}/public": {
            "get": op(
                "getOwnKeyPublic", "Its certificate, or its request for an authority.", "PublicPart",
                also=[*named, parameter("part", "query", _PART)],
            )
        },
        f"{one}/rotate": {
            "post": op(
                "rotateOwnKey", "A new key for the same owner; the old one only opens.", "OwnKey",
                body="RotateOwnKey", also=named, status="201",
            )
        },
        **{
            f"{one}/{act}": {"post": op(name, words, "OwnKey", body=body, also=named)}
            for act, (name, words, body) in acts.items()
        },
        f"{one}/take-out": {
            "post": op(
                "takeOwnKeyOut", _PERSON + "a private key leaves only through the console, for a person who shows a "
                "second factor.", "", also=named, status="403",
            )
        },
        **_authorities(op, parameter),
    }  # fmt: skip


def _authorities(op: Operation, parameter: Operation) -> dict[str, Any]:
    every, one = "/api/v1/authorities", "/api/v1/authorities/{authority}"
    named = [parameter("authority", "path", _UUID)]
    made = _PERSON + "an authority is made in the console, after a second factor, or on the machine by command."
    return {
        every: {
            "get": op("listAuthorities", "The organisation's own authorities, newest first.", "OwnAuthorities"),
            "post": op("makeAuthority", made, "", status="403"),
        },
        one: {"get": op("getAuthority", "Its state, and where its list is.", "OwnAuthority", also=named)},
        f"{one}/certificate": {
            "get": op("getAuthorityCertificate", "Its certificate, for partners.", "PublicPart", also=named)
        },
        f"{one}/list": {
            "post": op("signAuthorityList", "Sign its list of revoked certificates anew.", "OwnAuthority", also=named)
        },
        f"{one}/end": {
            "post": op("endAuthority", "It issues nothing more.", "OwnAuthority", body="Why", also=named)
        },
    }  # fmt: skip
