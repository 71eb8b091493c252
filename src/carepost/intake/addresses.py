"""Tokens of addresses, as the directory holds them: it knows whom it must not write to, and whose keys it has, by these
alone."""

from collections import OrderedDict

from carepost.crypto import index
from carepost.directory.types import OrgSnapshot
from carepost.ground.errors import CarepostError
from carepost.ground.orgkeys import OrgKeys

#: the index key's version tokens are made with, so that rotation keeps them
_VERSION = 1
_REMEMBERED = 4096


class Tokens:
    def __init__(self, org_keys: OrgKeys) -> None:
        self._org_keys = org_keys
        self._known: OrderedDict[tuple[bytes, str], bytes] = OrderedDict()

    def of(self, snapshot: OrgSnapshot, address: str) -> bytes | None:
        """None where the organisation's index key cannot be opened."""
        token = self._known.get((snapshot.id, address))
        if token is None:
            wrapped = snapshot.key("index", _VERSION)
            if wrapped is None:
                return None
            try:
                key = self._org_keys.open(snapshot.id, "index", _VERSION, wrapped)
            except CarepostError:
                return None
            token = self._known[snapshot.id, address] = index.token(key, "address", address)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return token
