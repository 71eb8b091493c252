"""A recipient's address in history, under the organisation's evidence key of the message's month."""

from carepost.crypto import rest
from carepost.ground import ids
from carepost.queue.sealing import EVIDENCE, OrgKeyBook, month_key

_HEAD = 4


def seal(book: OrgKeyBook, org: bytes, delivery: bytes, address: bytes) -> bytes:
    version, key = book.current(org, EVIDENCE)
    head = version.to_bytes(_HEAD, "big")
    return head + rest.seal(month_key(key, ids.made_at(delivery)), address, _aad(head, org, delivery))


def open_(book: OrgKeyBook, org: bytes, delivery: bytes, sealed: bytes) -> str:
    """Raises crypto.rest.Damaged, NotFound when the key is gone."""
    head = sealed[:_HEAD]
    key = month_key(book.version(org, EVIDENCE, int.from_bytes(head, "big")), ids.made_at(delivery))
    return rest.open_(key, sealed[_HEAD:], _aad(head, org, delivery)).decode("utf-8", "surrogatepass")


def _aad(head: bytes, org: bytes, delivery: bytes) -> bytes:
    return b"carepost recipient" + head + org + delivery
