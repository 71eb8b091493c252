"""The organisation's own keys as the engine gets them, one at a time and when first used: of an organisation of a
thousand people a day's mail needs few, and no private key is read before it is needed.

The view `engine_own_secret` is part of the contract (`sql.VERSION`)."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from carepost.crypto.rest import Damaged
from carepost.directory import columns
from carepost.directory.rows import SqlRows
from carepost.directory.types import OWN_KEY_PLACE, OrgSnapshot, OwnKept, OwnKey, own_key_aad
from carepost.ground.errors import NotFound
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys

VIEW: Final = "engine_own_secret"
#: of the view, after `org`
COLUMNS: Final = ("id", "wrapped", "sealed")
_kept = msgspec.msgpack.Decoder(OwnKept)


class OwnSecret(msgspec.Struct, frozen=True):
    """`private`: PKCS#8 DER, or an OpenPGP secret key, in clear."""

    kept: OwnKept
    private: bytes

    def __repr__(self) -> str:
        return "OwnSecret()"


class OwnSecrets(Protocol):
    def find(self, snapshot: OrgSnapshot, key: OwnKey) -> OwnSecret:
        """Blocking. Raises NotFound (gone since the snapshot), Unavailable, WrongKey."""


class StaticOwnSecrets:
    """Given by the caller (tests): id -> secret."""

    def __init__(self, given: Mapping[str, OwnSecret] | None = None) -> None:
        self.given = dict(given or {})

    def find(self, snapshot: OrgSnapshot, key: OwnKey) -> OwnSecret:
        found = self.given.get(key.id)
        if found is None:
            raise NotFound
        return found


class SqlOwnSecrets:
    """From the office's view."""

    def __init__(
        self, connect: Callable[[], Any], keys: PurposeKeys, *, begin: tuple[str, ...], placeholder: str
    ) -> None:
        """`keys` with the purposes `mail` and `evidence`."""
        self._purposes = keys
        self._keys = OrgKeys(keys)
        select = f"SELECT wrapped, sealed FROM {VIEW} WHERE org = {placeholder} AND id = {placeholder}"  # noqa: S608  constants
        self._rows = SqlRows(connect, select, begin, "own-key-unreadable")

    def find(self, snapshot: OrgSnapshot, key: OwnKey) -> OwnSecret:
        row_id = uuid.UUID(key.id)
        row = self._rows.row(snapshot.id, row_id.bytes)
        if row is None or not row[0]:
            raise NotFound
        sealed = bytes(row[1])
        version = columns.key_version(sealed)
        wrapped = snapshot.key("evidence", version)
        if wrapped is None:
            raise NotFound
        evidence = self._keys.open(snapshot.id, "evidence", version, wrapped)
        try:
            kept = _kept.decode(columns.open_(evidence, snapshot.id, sealed, f"{OWN_KEY_PLACE}/{row_id}"))
        except (Damaged, msgspec.DecodeError):
            raise NotFound from None
        private = self._purposes.unwrap("mail", bytes(row[0]), own_key_aad(snapshot.id, row_id.bytes))
        return OwnSecret(kept, private)

    def close(self) -> None:
        self._rows.close()
