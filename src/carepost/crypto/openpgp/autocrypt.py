"""The Autocrypt header (Autocrypt Level 1, 2.1): a sender's key in the mail itself. Unauthenticated by design.

What it gives is the last in the order of trust (standards 3.4) and never replaces a key that is known (BI-072)."""

import base64
import binascii
import re

import msgspec

from carepost.crypto.openpgp import certificate, packets, usable
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.errors import Malformed, OpenPgpError, Unusable
from carepost.rfc import address as rfc_address
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import AddressError, RfcError

#: octets of a key in a header (Autocrypt 2.1: headers of 10 KiB are the aim)
MAX_KEY = 64 * 1024
_ATTRIBUTE = re.compile(r"[ \t]*([A-Za-z_][A-Za-z0-9_-]{0,40})[ \t]*=[ \t]*([^;]*)")
_KNOWN = frozenset({"addr", "prefer-encrypt", "keydata"})
_COLUMNS = 76


class Offer(msgspec.Struct, frozen=True):
    """What a sender's header offers. `mutual`: the sender asks for encryption both ways."""

    address: str
    certificate: Certificate
    mutual: bool


def read(raw: bytes) -> Offer | None:
    """Of a received message: the one usable Autocrypt header of its one From address, or None. Never raises.

    Several valid headers, several From addresses or another `addr` make it None (Autocrypt 2.1)."""
    try:
        message = rfc_message.read(raw)
    except RfcError:
        return None
    if len(message.from_) != 1:
        return None
    sender = rfc_address.matching(message.from_[0].address)
    offers = [
        offer for offer in (_offer(value, sender) for value in message.all("Autocrypt")[:10]) if offer is not None
    ]
    return offers[0] if len(offers) == 1 else None


def _offer(value: str, sender: str) -> Offer | None:
    """None for anything the specification calls invalid, and for a key that is not for the sender."""
    found: dict[str, str] = {}
    for piece in value.rstrip("; \t").split(";"):
        attribute = _ATTRIBUTE.fullmatch(piece)
        if attribute is None or attribute[1].lower() in found:
            return None
        name = attribute[1].lower()
        # an attribute nobody knows makes it invalid, unless it says it may be passed over
        if name not in _KNOWN and not name.startswith("_"):
            return None
        found[name] = attribute[2].strip()
    try:
        address = rfc_address.matching(rfc_address.parse_path(found.get("addr", ""), utf8=True))
        key = binascii.a2b_base64(re.sub(r"[ \t]", "", found.get("keydata", "")).encode("ascii"), strict_mode=True)
        if address != sender or not key or len(key) > MAX_KEY or packets.is_armored(key):
            return None
        known = usable.only(certificate.read(key), sender)
    except (AddressError, OpenPgpError, ValueError):
        return None
    return Offer(address, known, found.get("prefer-encrypt") == "mutual")


def field(address: str, known: Certificate, *, mutual: bool = False) -> bytes:
    """The header field for mail from `address`, CRLF included. Raises Unusable for a certificate of another address,
    Malformed for one too large for a header."""
    single = usable.only(known, address)
    if len(single.raw) > MAX_KEY:
        raise Malformed("autocrypt-large", "This certificate is too large for a header.")
    bare = rfc_address.format_mailbox("", address)
    if ";" in bare or "\r" in bare:
        raise Unusable("autocrypt-address", "This address cannot stand in an Autocrypt header.")
    text = base64.b64encode(single.raw).decode("ascii")
    lines = [text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS)]
    wish = " prefer-encrypt=mutual;" if mutual else ""
    return f"Autocrypt: addr={bare};{wish} keydata=\r\n ".encode() + "\r\n ".join(lines).encode() + b"\r\n"
