"""The organisation's own keys: which of them signs for a sender, which may open what came for a recipient.

An organisation that has none costs one look at an empty table."""

import threading
from collections import OrderedDict
from typing import Final, TypeVar

from carepost.crypto.openpgp import secret
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.smime import identity
from carepost.crypto.smime.errors import SmimeError
from carepost.crypto.smime.identity import Identity
from carepost.directory.ownkeys import OwnSecrets
from carepost.directory.types import OrgSnapshot, OwnKey
from carepost.ground import clock, log
from carepost.ground.errors import NotFound
from carepost.intake.addresses import Tokens, rows_of
from carepost.policy.types import Method

#: keys kept open, in memory only
KEPT: Final = 1024
_ORGANISATION: Final = b""
_T = TypeVar("_T", Identity, PrivateKey)


class OwnKeys:
    """Its look-ups are of the snapshot; `smime` and `openpgp` block at the first use of a key, and may be called from
    any thread."""

    def __init__(self, tokens: Tokens, secrets: OwnSecrets) -> None:
        self._tokens = tokens
        self._secrets = secrets
        self._opened: OrderedDict[tuple[str, int], Identity | PrivateKey] = OrderedDict()
        self._lock = threading.Lock()

    def signing(self, snapshot: OrgSnapshot, sender: str, method: Method) -> OwnKey | None:
        """The key to sign with for this From address: its own, else the organisation's; of several the newest."""
        return self._signing(snapshot, sender, (method,))

    def always(self, snapshot: OrgSnapshot, sender: str) -> OwnKey | None:
        """The key that signs for this From address also what leaves unencrypted; S/MIME before OpenPGP."""
        return self._signing(snapshot, sender, (Method.SMIME, Method.OPENPGP), always=True)

    def decrypting(self, snapshot: OrgSnapshot, address: str) -> tuple[OwnKey, ...]:
        """All that may open what came for this address: its own, then the organisation's, also those rotated away."""
        if not snapshot.own_keys:
            return ()
        now = clock.now()
        rows = (*self._rows(snapshot, address), *snapshot.own_keys.get(_ORGANISATION, ()))
        return tuple([row for row in rows if row.decrypts and not (row.until and row.until <= now)])

    def ready(self, key: OwnKey) -> bool:
        """It is open already: using it blocks nobody."""
        return (key.id, key.not_after) in self._opened

    def smime(self, snapshot: OrgSnapshot, key: OwnKey) -> Identity:
        """Raises NotFound (gone, or not to be read), Unavailable, WrongKey."""
        found = self._opened.get((key.id, key.not_after))
        if isinstance(found, Identity):
            return found
        kept = self._secrets.find(snapshot, key)
        try:
            return self._keep(key, identity.load(kept.private, kept.kept.raw, kept.kept.chain))
        except SmimeError as error:
            log.failure("own-key-unreadable", error, key=key.id)
            raise NotFound("The key cannot be read.") from None

    def openpgp(self, snapshot: OrgSnapshot, key: OwnKey) -> PrivateKey:
        """Raises NotFound (gone, or not to be read), Unavailable, WrongKey."""
        found = self._opened.get((key.id, key.not_after))
        if isinstance(found, PrivateKey):
            return found
        kept = self._secrets.find(snapshot, key)
        try:
            return self._keep(key, secret.load(kept.private))
        except OpenPgpError as error:
            log.failure("own-key-unreadable", error, key=key.id)
            raise NotFound("The key cannot be read.") from None

    def _signing(
        self, snapshot: OrgSnapshot, sender: str, methods: tuple[Method, ...], *, always: bool = False
    ) -> OwnKey | None:
        if not snapshot.own_keys:
            return None
        now = clock.now()
        own = self._rows(snapshot, sender)
        # the organisation's name stands under its own mail alone
        shared = snapshot.own_keys.get(_ORGANISATION, ()) if snapshot.domain(sender.rpartition("@")[2]) else ()
        for method in methods:
            for row in (*own, *shared):
                if row.method is method and _signs(row, now) and (row.always or not always):
                    return row
        return None

    def _rows(self, snapshot: OrgSnapshot, address: str) -> tuple[OwnKey, ...]:
        tokens = self._tokens.of(snapshot, address)
        rows = rows_of(snapshot.own_keys, tokens) if tokens is not None else ()
        # under several tokens each comes newest first, and together they must too
        return rows if tokens is None or len(tokens) == 1 else tuple(sorted(rows, key=lambda row: row.id, reverse=True))

    def _keep(self, key: OwnKey, opened: _T) -> _T:
        with self._lock:
            self._opened[key.id, key.not_after] = opened
            if len(self._opened) > KEPT:
                self._opened.popitem(last=False)
        return opened


def _signs(row: OwnKey, now: int) -> bool:
    return row.signs and not row.retired and (not row.not_after or now < row.not_after)
