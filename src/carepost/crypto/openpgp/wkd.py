"""Web Key Directory (draft-koch-openpgp-webkey-service): where the key of an address would be. Fetches nothing."""

import hashlib
import re
from urllib.parse import quote, urlsplit

from carepost.crypto.openpgp import certificate, usable
from carepost.crypto.openpgp.certificate import Certificate
from carepost.crypto.openpgp.errors import Malformed, OpenPgpError, Unusable
from carepost.rfc.address import parse_path

_Z_BASE_32 = "ybndrfg8ejkmcpqxot1uwisza345h769"
#: octets of an answer; more is not a key (BI-070)
MAX_ANSWER = certificate.MAX_BYTES
_ASCII_UPPER = re.compile("[A-Z]")


def local_hash(local: str) -> str:
    """z-base-32 of SHA-1 of the local part, its ASCII letters in lower case (draft 3.1)."""
    lower = _ASCII_UPPER.sub(lambda m: m[0].lower(), local)
    # the draft's choice of hash; it only names a file
    number = int.from_bytes(hashlib.sha1(lower.encode("utf-8"), usedforsecurity=False).digest(), "big")
    return "".join(_Z_BASE_32[(number >> shift) & 31] for shift in range(155, -1, -5))


def urls(address: str) -> tuple[str, str]:
    """(advanced, direct), to be tried in this order; the second only where the host of the first does not exist.

    Raises AddressError. The local part is in the URL because the draft says so: it is asked of its own domain."""
    local, _, domain = parse_path(address, utf8=True).rpartition("@")
    name, asked = local_hash(local), quote(local, safe="")
    return (
        f"https://openpgpkey.{domain}/.well-known/openpgpkey/{domain}/hu/{name}?l={asked}",
        f"https://{domain}/.well-known/openpgpkey/hu/{name}?l={asked}",
    )


def hosts(address: str) -> frozenset[str]:
    """Of both places. Raises AddressError."""
    return frozenset(urlsplit(url).hostname or "" for url in urls(address))


def read(answer: bytes, address: str) -> list[Certificate]:
    """The certificates of an answer for this address, other user ids taken out. Raises Malformed, Unusable where none.

    The answer is binary (draft 3.1); armored ones are taken, as others do."""
    if len(answer) > MAX_ANSWER:
        raise Malformed("size", "The answer is too large for a key.")
    found: list[Certificate] = []
    trouble: OpenPgpError = Unusable("other-address", usable.WORDS["other-address"])
    for piece in certificate.split(answer)[:10]:
        try:
            found.append(usable.only(certificate.read(piece), address))
        except OpenPgpError as error:
            trouble = error
    if not found:
        raise trouble
    return found
