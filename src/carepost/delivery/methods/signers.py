"""Who signs a message: the sender's own key, else the organisation's; opened off the loop, kept ready, judged by dates.

What signs for somebody else says so in a Sender field (RFC 8550 3): a reader compares the certificate with it."""

import asyncio
from collections import OrderedDict

import msgspec

from carepost.crypto.openpgp import message as pgp
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.smime import opening as smime
from carepost.crypto.smime.certificate import normal
from carepost.crypto.smime.errors import SmimeError
from carepost.crypto.smime.signing import Signer
from carepost.directory.types import OrgSnapshot, OwnKey
from carepost.ground.errors import NotFound
from carepost.intake.ownkeys import OwnKeys
from carepost.policy.types import Method
from carepost.rfc import address as rfc_address
from carepost.rfc import message as rfc_message
from carepost.rfc.errors import AddressError

#: signers kept ready
KEPT = 1024


class Signing(msgspec.Struct, frozen=True):
    """One of both signers. `sender`: whose the key is, where it does not name the From address; else ""."""

    key: str
    method: Method
    sender: str = ""
    smime: Signer | None = None
    openpgp: PrivateKey | None = None

    def __repr__(self) -> str:
        return f"Signing({self.key})"

    def named(self, body: bytes) -> bytes:
        """The message with a Sender field, where the key is another's than the author's and none stands there yet."""
        if not self.sender or b"sender" in rfc_message.read(body).first:
            return body
        return b"Sender: " + self.sender.encode("ascii") + b"\r\n" + body


class Signers:
    """For the loop's thread. `own` None: nobody signs."""

    def __init__(self, own: OwnKeys | None) -> None:
        self._own = own
        self._ready: OrderedDict[tuple[str, int, str], Signing] = OrderedDict()

    async def of(self, snapshot: OrgSnapshot, sender: str, method: Method) -> Signing | None:
        """What signs a message from this address that leaves by `method`. None: nothing, or only what cannot be read
        now. Raises Unavailable, WrongKey."""
        if self._own is None or not snapshot.own_keys or not sender:
            return None
        key = self._own.signing(snapshot, sender, method)
        return None if key is None else await self._made(snapshot, sender, key)

    async def always(self, snapshot: OrgSnapshot, sender: str) -> Signing | None:
        """The same of a message that leaves unencrypted."""
        if self._own is None or not snapshot.own_keys or not sender:
            return None
        key = self._own.always(snapshot, sender)
        return None if key is None else await self._made(snapshot, sender, key)

    async def _made(self, snapshot: OrgSnapshot, sender: str, key: OwnKey) -> Signing | None:
        name = (key.id, key.not_after, sender)
        found = self._ready.get(name)
        if found is None:
            assert self._own is not None
            try:
                if self._own.ready(key):
                    found = self._make(snapshot, sender, key)
                else:
                    found = await asyncio.to_thread(self._make, snapshot, sender, key)
            except (NotFound, SmimeError):
                return None
            self._ready[name] = found
            if len(self._ready) > KEPT:
                self._ready.popitem(last=False)
        return found

    def _make(self, snapshot: OrgSnapshot, sender: str, key: OwnKey) -> Signing:
        assert self._own is not None
        if key.method is Method.SMIME:
            opened = self._own.smime(snapshot, key)
            named = opened.certificate.addresses
            other = "" if normal(sender) in named else _plain(sorted(named))
            return Signing(key.id, key.method, other, smime=Signer(opened))
        private = self._own.openpgp(snapshot, key)
        named = frozenset(private.certificate.addresses)
        other = "" if rfc_address.matching(sender) in named else _plain(sorted(named))
        return Signing(key.id, key.method, other, openpgp=private)


def protected(body: bytes) -> bool:
    """Signed or encrypted already, by whoever wrote it: a second signature would only hide the first."""
    return smime.is_smime(body) or bool(pgp.kind(body))


def _plain(addresses: list[str]) -> str:
    """The first that can stand in a field as it is."""
    for one in addresses:
        try:
            made = rfc_address.format_mailbox("", one)
        except AddressError:
            continue
        if made.isascii():
            return made
    return ""
