"""What search compares: 8-byte tokens of addresses, domains, Message-ID, subject words and tags, by day (DESIGN 5)."""

from collections.abc import Iterable
from typing import Final

from carepost.archive import books
from carepost.crypto import index
from carepost.queue.sealing import OrgKeyBook
from carepost.rfc import address
from carepost.rfc.errors import AddressError
from carepost.wire.types import HistoryRecord

INDEX: Final = "index"
ADDRESS: Final = "address"
DOMAIN: Final = "domain"
SENDER: Final = "sender"
MESSAGE_ID: Final = "message-id"
WORD: Final = "word"
TAG: Final = "tag"
_DAY_US: Final = 86_400_000_000


def spelt(typed: str) -> str:
    """An address or domain as it was indexed: its domain in A-labels. What is neither stays as it was typed, and
    finds nothing."""
    name = typed.strip()
    bare = name.removeprefix("@")
    try:
        return address.parse_path(bare, utf8=True) if "@" in bare else address.parse_domain(bare.rstrip("."))
    except AddressError:
        return name


def key_of(book: OrgKeyBook, org: bytes, at: int) -> bytes:
    """The key that indexes a message accepted at this time (UTC microseconds). Raises NotFound, Unavailable."""
    return book.version(org, INDEX, books.serving().at(org, at))


def keys_of(book: OrgKeyBook, org: bytes, day: int) -> list[bytes]:
    """The keys that messages of a day may be indexed with, newest first. A change is looked for a day to either side:
    machines need not agree about the time, nor a message be indexed on the day it came."""
    first, end = (day - 1) * _DAY_US, (day + 2) * _DAY_US
    return [book.version(org, INDEX, version) for version in books.serving().during(org, first, end)]


def of_header(key: bytes, day: int, header: HistoryRecord) -> set[bytes]:
    """Sender by envelope and by From, Message-ID, subject words, tags."""
    found = {index.token(key, SENDER, who, day) for who in {header.sender, header.from_} if who}
    if header.message_id:
        found.add(index.token(key, MESSAGE_ID, header.message_id, day))
    found.update(index.token(key, WORD, word, day) for word in index.subject_words(header.subject))
    return found | of_tags(key, day, header.tags)


def of_tags(key: bytes, day: int, tags: Iterable[str]) -> set[bytes]:
    return {index.token(key, TAG, tag, day) for tag in tags}


def of_recipients(key: bytes, day: int, recipients: Iterable[str]) -> set[bytes]:
    """Address and domain of each."""
    found = set()
    for recipient in recipients:
        found.add(index.token(key, ADDRESS, recipient, day))
        found.add(index.token(key, DOMAIN, address.domain(recipient), day))
    return found
