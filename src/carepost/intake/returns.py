"""Addresses that bounces come back to (VERP), and links to unsubscribe: each names one delivery and is signed, so that
nobody can report a failure or a complaint that was not (BI-028). They hold nothing of a person."""

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
#: the first version of the index key makes tokens, so that its rotation keeps them
_VERSION: Final = 1


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
        key = self._key(snapshot) if snapshot.return_path else None
        if key is None:
            return ""
        return f"{PREFIX}{tokens.make(key, tokens.RETURN, snapshot.id, delivery, _VERSION)}@{snapshot.return_path}"

    def link(self, snapshot: OrgSnapshot, delivery: bytes) -> str:
        """Where the recipient of a delivery unsubscribes; "" where the organisation has no portal."""
        key = self._key(snapshot) if snapshot.portal_url else None
        if key is None:
            return ""
        token = tokens.make(key, tokens.UNSUBSCRIBE, snapshot.id, delivery, _VERSION)
        return f"{snapshot.portal_url.rstrip('/')}{PATH}{ids.text(snapshot.id)}/{token}"

    def link_key(self, snapshot: OrgSnapshot) -> tuple[int, bytes] | None:
        """(version, key) that tokens of tracked links are made with (`crypto.link_token`); None where there is none."""
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
        key = self._key(snapshot)
        return tokens.delivery_of(key, tokens.RETURN, snapshot.id, name[len(PREFIX) :]) if key is not None else None

    def delivery_of_link(self, snapshot: OrgSnapshot, text: str) -> bytes | None:
        """The delivery that a link in `text` names (a List-Unsubscribe field that came back with a complaint)."""
        head = f"{PATH}{ids.text(snapshot.id)}/"
        at = text.find(head)
        key = self._key(snapshot) if at >= 0 else None
        if key is None:
            return None
        begin = at + len(head)
        return tokens.delivery_of(key, tokens.UNSUBSCRIBE, snapshot.id, text[begin : begin + tokens.LENGTH])

    def _key(self, snapshot: OrgSnapshot) -> bytes | None:
        wrapped = snapshot.key("index", _VERSION)
        if wrapped is None:
            return None
        try:
            return self._org_keys.open(snapshot.id, "index", _VERSION, wrapped)
        except CarepostError:
            return None
