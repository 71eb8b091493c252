"""OpenPGP keys in the DNS (RFC 7929): where they are asked for, and what an answer holds.

An answer counts only where DNSSEC vouched for it; whoever asks sees to that (standards 3.4)."""

import hashlib
import unicodedata
from collections.abc import Sequence

from carepost.crypto.openpgp import wkd
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.rfc import path
from carepost.rfc.errors import AddressError

#: records of one answer that are looked at
MAX_RECORDS = 20


def owner(address: str) -> str:
    """The name to ask for (RFC 7929 3): SHA-256 of the local part as it is written, in NFC, cut to 28 octets. Raises
    AddressError."""
    local, _, domain = path.parse_path(address, utf8=True).rpartition("@")
    if local.startswith('"'):
        raise AddressError("address-quoted", "A quoted local part has no name in the DNS.")
    digest = hashlib.sha256(unicodedata.normalize("NFC", local).encode("utf-8")).hexdigest()
    return f"{digest[:56]}._openpgpkey.{domain}"


def certificates(records: Sequence[bytes], address: str) -> list[Certificate]:
    """Those of an answer for this address, other user ids taken out; what cannot be read is left out."""
    found: list[Certificate] = []
    for record in records[:MAX_RECORDS]:
        try:
            found.extend(wkd.read(record, address))
        except OpenPgpError:
            continue
    return found
