"""DKIM's texts (RFC 6376 3.2, 3.5, 3.6.1, RFC 8301, RFC 8463): tag lists, the signature field and the key record.

What the RFC lets a verifier refuse is refused here with a word: whoever reads a result learns why."""

import base64
import binascii
import re

import msgspec

from carepost.rfc.errors import RfcError

#: tags of one list, header names of one `h=`
MAX_TAGS, MAX_NAMES = 64, 256

_WSP = re.compile(r"[ \t\r\n]+")
_TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DOMAIN = re.compile(
    r"(?=.{3,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)+"
)
_SELECTOR = re.compile(
    r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_NUMBER = re.compile(r"[0-9]{1,12}")
_REQUIRED = ("v", "a", "b", "bh", "d", "h", "s")


class DkimError(RfcError):
    """`code` is the word: what of the signature or the key is wrong."""

    def __init__(self, code: str, public: str) -> None:
        super().__init__(code, public)


class Signature(msgspec.Struct, frozen=True):
    """One DKIM-Signature field. Times are UTC seconds, 0 where none is given. `length`: it has `l=`."""

    domain: str
    selector: str
    #: "rsa-sha256" | "ed25519-sha256" | another, which nobody should verify
    algorithm: str
    #: (header, body): "simple" | "relaxed"
    canonical: tuple[str, str]
    names: tuple[str, ...]
    body_hash: bytes
    signature: bytes
    #: the part of `i=` after its last @
    identity: str
    signed_at: int = 0
    expires_at: int = 0
    length: bool = False

    @property
    def oversigned(self) -> bool:
        """A second From added later would break it; needs one name more than From fields."""
        return self.names.count("from") > 1


class Key(msgspec.Struct, frozen=True):
    """A key record. `strict`: `t=s`, `i=` must be the domain itself. `testing`: `t=y`."""

    kind: str
    data: bytes
    hashes: tuple[str, ...] = ()
    services: tuple[str, ...] = ("*",)
    strict: bool = False
    testing: bool = False


def tags(text: str) -> dict[str, str]:
    """A tag list; folding is taken out at the ends of values only. Raises DkimError for a tag given twice."""
    found: dict[str, str] = {}
    pieces = text.split(";")
    if len(pieces) > MAX_TAGS:
        raise DkimError("tags-many", "The DKIM tag list has more than 64 tags.")
    for piece in pieces:
        if not piece.strip(" \t\r\n"):
            continue
        name, equals, value = piece.partition("=")
        name = name.strip(" \t\r\n")
        if not equals or _TAG.fullmatch(name) is None:
            raise DkimError("tags-syntax", "The DKIM tag list is not well formed.")
        if name in found:
            raise DkimError("tag-twice", "The DKIM tag list has a tag twice.")
        found[name] = value.strip(" \t\r\n")
    return found


def signature(value: str) -> Signature:
    """A DKIM-Signature field's value. Raises DkimError."""
    given = tags(value)
    for name in _REQUIRED:
        if not given.get(name):
            raise DkimError("tag-missing", f"The DKIM signature lacks its tag {name}=.")
    if given["v"] != "1":
        raise DkimError("version", "The DKIM signature is of an unknown version.")
    if "dns/txt" not in [method.strip().lower() for method in given.get("q", "dns/txt").split(":")]:
        raise DkimError("query", "The DKIM signature names no way to find its key.")
    domain, selector = given["d"].lower(), given["s"].lower()
    if _DOMAIN.fullmatch(domain) is None or _SELECTOR.fullmatch(selector) is None:
        raise DkimError("domain", "The domain or selector of the DKIM signature is not well formed.")
    names = tuple(name.strip(" \t\r\n").lower() for name in given["h"].split(":"))
    if len(names) > MAX_NAMES:
        raise DkimError("names-many", "The DKIM signature names more than 256 header fields.")
    if "from" not in names:
        raise DkimError("from-unsigned", "The DKIM signature does not cover From.")
    signed_at, expires_at = _time(given, "t"), _time(given, "x")
    if expires_at and expires_at < signed_at:
        raise DkimError("times", "The DKIM signature expires before it was made.")
    return Signature(
        domain, selector, given["a"].lower(), _canonical(given.get("c", "simple/simple")), names,
        _decoded(given["bh"], "hash"), _decoded(given["b"], "signature"), _identity(given.get("i", ""), domain),
        signed_at, expires_at, "l" in given,
    )  # fmt: skip


def key(text: bytes) -> Key:
    """A key record. Raises DkimError; `revoked` where `p=` is empty."""
    given = tags(text.decode("utf-8", "replace"))
    if given.get("v", "DKIM1") != "DKIM1" or "p" not in given:
        raise DkimError("key-syntax", "The DKIM key record is not well formed.")
    if not given["p"]:
        raise DkimError("revoked", "The DKIM key was revoked.")
    flags = {flag.strip() for flag in given.get("t", "").split(":")}
    return Key(
        given.get("k", "rsa").lower(),
        _decoded(given["p"], "key-syntax"),
        tuple(h.strip().lower() for h in given["h"].split(":")) if "h" in given else (),
        tuple(s.strip().lower() for s in given.get("s", "*").split(":")),
        "s" in flags,
        "y" in flags,
    )


def _canonical(value: str) -> tuple[str, str]:
    header, _, body = value.lower().partition("/")
    body = body or "simple"
    if header not in ("simple", "relaxed") or body not in ("simple", "relaxed"):
        raise DkimError("canonicalization", "The DKIM signature names an unknown canonical form.")
    return header, body


def _time(given: dict[str, str], name: str) -> int:
    value = given.get(name, "0")
    if _NUMBER.fullmatch(value) is None:
        raise DkimError("times", "A time of the DKIM signature is not a number.")
    return int(value)


def _identity(value: str, domain: str) -> str:
    found = value.rpartition("@")[2].lower() if value else domain
    if found != domain and not found.endswith("." + domain):
        raise DkimError("identity", "The identity of the DKIM signature is not of its domain.")
    return found


def _decoded(value: str, code: str) -> bytes:
    try:
        return base64.b64decode(_WSP.sub("", value), validate=True)
    except (binascii.Error, ValueError):
        raise DkimError(code, "A value of the DKIM signature or key is not base64.") from None
