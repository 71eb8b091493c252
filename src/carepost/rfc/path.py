"""SMTP paths (RFC 5321 4.1.2), strictly.

What RFC 5321 calls equal comes out equal (least quoting, domain in lower-case A-labels); the local part keeps its case.
Routes, address literals and names without a dot are refused: nothing is ever relayed by what stands in a local part.
"""

import re
import unicodedata

import idna

from carepost.rfc.errors import AddressError

#: RFC 5321 4.5.3.1: octets of local part, domain, and path (256 with its angle brackets)
MAX_LOCAL, MAX_DOMAIN, MAX_PATH = 64, 255, 254

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~-"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOT_ATOM = re.compile(rf"[{_ATEXT}]+(?:\.[{_ATEXT}]+)*")
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_PLAIN = re.compile(rf"([{_ATEXT}]+(?:\.[{_ATEXT}]+)*)@((?:{_LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_UNQUOTE = re.compile(r"\\(.)", re.DOTALL)
#: marks that hide or reorder characters (BI-063)
_HIDDEN = frozenset("\u00ad\u061c\u180e\u200b\u200e\u200f\u2060\ufeff") | {chr(c) for c in range(0x202A, 0x202F)}
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Cn", "Co", "Zs", "Zl", "Zp"})


def plain(text: str) -> str:
    """The address of a path that is ASCII and unquoted, as nearly all are; "" for any other. Raises AddressError for a
    domain that is none."""
    found = _PLAIN.fullmatch(text)
    if found is None or len(text) > MAX_PATH or found.end(1) > MAX_LOCAL:
        return ""
    return found[1] + "@" + _ascii_domain(found[2])


def parse_path(text: str, *, utf8: bool = False, null_ok: bool = False) -> str:
    """The address in `text` (a path without its angle brackets). Raises AddressError, which never quotes it.

    `utf8`: SMTPUTF8 holds (RFC 6531); without it any other octet than ASCII is 553 5.6.7 (BI-021).
    `null_ok`: the empty path stands for the null sender and is returned as ""."""
    found = plain(text)
    if found:
        return found
    if not text:
        if null_ok:
            return ""
        raise AddressError("address-empty", "The address is empty.")
    if not utf8 and not text.isascii():
        raise AddressError(
            "address-utf8", "An address with other letters than ASCII needs SMTPUTF8.", "5.6.7", reply=553
        )
    if text.startswith("@"):
        raise AddressError("address-route", "Source routes are not accepted. Give the address alone.")
    local, at, host = text.rpartition("@")
    if not at or not local or not host:
        raise AddressError("address-syntax", "The address needs a name, an @ and a domain.")
    local = _local(local)
    return _fits(local + "@" + parse_domain(host))


def _fits(path: str) -> str:
    if len(path.encode("utf-8")) > MAX_PATH:
        raise AddressError("address-long", "The address is longer than 254 characters.", reply=553)
    return path


def _local(text: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise AddressError("address-control", "The address contains a control character.")
    if text.startswith('"'):
        quoted = _QUOTED.fullmatch(text)
        if quoted is None or not quoted[1]:
            raise AddressError("address-syntax", "The quoted part of the address is not closed or empty.")
        content = _UNQUOTE.sub(r"\1", quoted[1])
    else:
        content = text
    hidden = not content.isascii() and any(
        c in _HIDDEN or unicodedata.category(c) in _REFUSED_CATEGORIES for c in content if not c.isascii()
    )
    if hidden:
        raise AddressError("address-hidden", "The address contains an invisible character.")
    dotted = _DOT_ATOM.fullmatch(re.sub(r"[^\x00-\x7f]", "a", content)) is not None
    if not dotted and content is text:
        raise AddressError("address-syntax", "The part of the address before the @ is not well formed.")
    # least quoting (RFC 5321 4.1.2): "ann"@x and ann@x are one address, in rules and suppression too
    local = content if dotted else '"' + re.sub(r'(["\\])', r"\\\1", content) + '"'
    if len(local.encode("utf-8")) > MAX_LOCAL:
        raise AddressError("address-long", "The part of the address before the @ is too long.", reply=553)
    return local


def parse_domain(text: str) -> str:
    """A domain in lower-case A-labels (IDNA 2008, UTS 46). Literals and names without a dot are refused."""
    if text.startswith("["):
        raise AddressError("address-literal", "Address literals are not accepted. Give a domain name.")
    if len(text) > MAX_DOMAIN:
        raise AddressError("address-long", "The domain of the address is too long.", reply=553)
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True, std3_rules=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise AddressError("address-domain", "The domain of the address is not well formed.", "5.1.2") from None
    if _DOMAIN.fullmatch(text) is None:
        raise AddressError("address-domain", "The domain of the address is not well formed.", "5.1.2")
    return _ascii_domain(text)


def _ascii_domain(text: str) -> str:
    text = text.lower()
    if len(text) > 63 and (len(text) > MAX_DOMAIN or max(map(len, text.split("."))) > 63):
        raise AddressError("address-domain", "The domain of the address is too long.", "5.1.2", reply=553)
    if "xn--" in text:
        try:
            idna.decode(text)
        except (idna.IDNAError, UnicodeError):
            raise AddressError("address-domain", "The domain of the address is not well formed.", "5.1.2") from None
    return text


def domain(address: str) -> str:
    """The domain of what `parse_path` returned; "" of the null sender."""
    return address.rpartition("@")[2]


def matching(address: str) -> str:
    """The form under which two spellings of one mailbox meet, for suppression and rules; never for sending."""
    if address.isascii():
        return address.lower()
    return unicodedata.normalize("NFKC", address).casefold()
