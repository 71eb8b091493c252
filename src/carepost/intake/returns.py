"""Addresses that bounces come back to (VERP), and links to unsubscribe: each names one delivery and is signed, so that
nobody can report a failure or a complaint that was not (BI-028). They hold nothing of a person.

Each is made under the newest index key and says which that was; what a former key made is known as long as the key
stands, since mail and its links are out in the world (decision 0050)."""

from typing import Final

from carepost.crypto import delivery_token as tokens
from carepost.directory.types import OrgSnapshot
from carepost.ground import ids
from carepost.ground.errors import CarepostError
from carepost.ground.orgkeys import OrgKeys

#: how a signed local part begins; the address feedback loops send to, and what RFC 2142 asks for
PREFIX: Final = "b-"
FEEDBACK: Final = "feedback"
_PLAIN: Final = (FEEDBACK, "abuse", "postmaster")
#: the path of a link to unsubscribe, under the portal's address
PATH: Final = "/unsubscribe/"


def ours(snapshot: OrgSnapshot, name: str, domain: str) -> bool:
    """Whether mail from the world is taken at this address of the return-path domain. `name`: casefolded."""
    if not snapshot.return_path or domain != snapshot.return_path:
        return False
    return name in _PLAIN or (name.startswith(PREFIX) and len(name) == len(PREFIX) + tokens.LENGTH)


class Returns:
    def __init__(self, org_keys: OrgKeys) -> None:
        self._org_keys = org_keys

    def address(self, snapshot: OrgSnapshot, delivery: bytes) -> str:
        """The envelope sender of a delivery; "" where there is no return path, or no key to sign it with."""
        newest = self.link_key(snapshot) if snapshot.return_path else None
        if newest is None:
            return ""
        number, key = newest
        return f"{PREFIX}{tokens.make(key, tokens.RETURN, snapshot.id, delivery, number)}@{snapshot.return_path}"

    def link(self, snapshot: OrgSnapshot, delivery: bytes) -> str:
        """Where the recipient of a delivery unsubscribes; "" where the organisation has no portal."""
        newest = self.link_key(snapshot) if snapshot.portal_url else None
        if newest is None:
            return ""
        number, key = newest
        token = tokens.make(key, tokens.UNSUBSCRIBE, snapshot.id, delivery, number)
        return f"{snapshot.portal_url.rstrip('/')}{PATH}{ids.text(snapshot.id)}/{token}"

    def link_key(self, snapshot: OrgSnapshot) -> tuple[int, bytes] | None:
        """(version, key) that tokens are made with from now on, also those of tracked links (`crypto.link_token`); None
        where there is none."""
        number, wrapped = snapshot.keys.get("index", (0, b""))
        if not 0 < number < 256:
            return None
        try:
            return number, self._org_keys.open(snapshot.id, "index", number, wrapped)
        except CarepostError:
            return None

    def delivery_of(self, snapshot: OrgSnapshot, address: str) -> bytes | None:
        """The delivery that a return address names; None for what we did not make."""
        name, _, domain = address.rpartition("@")
        if not snapshot.return_path or domain.casefold() != snapshot.return_path or name[:2].casefold() != PREFIX:
            return None
        return self._named(snapshot, tokens.RETURN, name[len(PREFIX) :])

    def delivery_of_link(self, snapshot: OrgSnapshot, text: str) -> bytes | None:
        """The delivery that a link in `text` names (a List-Unsubscribe field that came back with a complaint)."""
        head = f"{PATH}{ids.text(snapshot.id)}/"
        at = text.find(head)
        if at < 0:
            return None
        begin = at + len(head)
        return self._named(snapshot, tokens.UNSUBSCRIBE, text[begin : begin + tokens.LENGTH])

    def _named(self, snapshot: OrgSnapshot, use: bytes, token: str) -> bytes | None:
        number = tokens.number_of(token)
        wrapped = snapshot.key("index", number) if number else None
        if wrapped is None:
            return None
        try:
            key = self._org_keys.open(snapshot.id, "index", number, wrapped)
        except CarepostError:
            return None
        return tokens.delivery_of(key, use, snapshot.id, token)
