"""Whether a DKIM key record in DNS is the one we mean, and fit for signatures of mail."""

from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm

from carepost.crypto.dkim_verify import EMAIL, WEAK, checker
from carepost.rfc import dkimtags
from carepost.rfc.dkimtags import DkimError


def shows(record: str, texts: Sequence[bytes]) -> bool:
    """Whether DNS shows exactly this key, usable: what signing may change to. `texts`: all TXT records at its name."""
    return len(texts) == 1 and fault(record, texts[0]) == ""


def fault(record: str, text: bytes) -> str:
    """A word for what is amiss with `text`, where `record` should stand: a code of `rfc.dkimtags`, other-key, testing,
    unfit, short, unreadable; "" where nothing is. White space and the order of tags do not count."""
    try:
        key, ours = dkimtags.key(text), dkimtags.key(record.encode())
        _, bits = checker(key)
    except DkimError as error:
        return error.code
    except (ValueError, UnsupportedAlgorithm):
        return "unreadable"
    if (key.kind, key.data) != (ours.kind, ours.data):
        return "other-key"
    if key.testing:
        return "testing"
    if EMAIL.isdisjoint(key.services) or (key.hashes and "sha256" not in key.hashes):
        return "unfit"
    return "short" if bits and bits < WEAK else ""
