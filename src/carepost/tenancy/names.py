"""What people type for domains, addresses and names, checked and put into the one form that is stored."""

import re
import unicodedata

from cryptography import x509

from carepost.ground.errors import Refused
from carepost.rfc.address import parse_domain
from carepost.rfc.errors import AddressError

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NO_DOMAIN = "This is not a domain name. Write what stands behind the @, as in clinic.example, without https://."


class Wrong(Refused):
    """What was typed cannot be used; the sentence says why."""

    def __init__(self, code: str, public: str) -> None:
        super().__init__(code, public, status=422)


def domain(typed: str) -> str:
    """Lower case, A-labels, at least two labels (RFC 5321 4.1.2, RFC 5890)."""
    name = typed.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            # the one reading the doors have too (IDNA 2008): "faß.test" is not "fass.test"
            name = parse_domain(name)
        except AddressError:
            raise Wrong("bad-domain", _NO_DOMAIN) from None
    labels = name.split(".")
    if len(name) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Wrong("bad-domain", _NO_DOMAIN)
    return name


def host(typed: str) -> str:
    """A host name; an address or a single label will do for a pinned next hop."""
    name = typed.strip().rstrip(".").lower()
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise Wrong("bad-host", "This is not a host name.")
    return name


def address(typed: str) -> str:
    """An ordinary mail address: local part as given, domain in its stored form."""
    local, at, rest = typed.strip().rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        raise Wrong("bad-address", "This is not a mail address.")
    return f"{local}@{domain(rest)}"


def ca(pem: str) -> str:
    """PEM of certificate authorities, or "" for the system's."""
    try:
        if not pem or x509.load_pem_x509_certificates(pem.encode()):
            return pem
    except ValueError:
        pass
    raise Wrong("bad-ca", "The CA file holds no PEM certificate.")


def slug(typed: str) -> str:
    if not _SLUG.fullmatch(typed):
        raise Wrong("bad-name", "A short name has 2 to 40 characters: a-z, 0-9 and hyphens, and begins with a letter.")
    return typed


def words(typed: str, what: str, *, longest: int = 200, empty: bool = False) -> str:
    """A line people read: no control characters, at most `longest` characters."""
    text = unicodedata.normalize("NFC", typed).strip()
    if not text and not empty:
        raise Wrong("empty", f"The {what} must not be empty.")
    if len(text) > longest or any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        raise Wrong("bad-words", f"The {what} has at most {longest} characters, on one line.")
    return text
