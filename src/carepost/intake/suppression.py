"""Whether an address may be written to: the directory holds tokens, never addresses."""

from collections import OrderedDict

from carepost.crypto import index
from carepost.directory.types import OrgSnapshot
from carepost.ground.errors import CarepostError
from carepost.ground.orgkeys import OrgKeys
from carepost.policy.types import Ternary

#: the index key's version tokens are made with, so that rotation keeps them
_VERSION = 1
_REMEMBERED = 4096


class Suppression:
    def __init__(self, org_keys: OrgKeys) -> None:
        self._org_keys = org_keys
        self._tokens: OrderedDict[tuple[bytes, str], bytes] = OrderedDict()

    def look(self, snapshot: OrgSnapshot, address: str) -> Ternary:
        """UNKNOWN where the index key cannot be opened: then the decision holds the delivery."""
        if not snapshot.suppressed:
            return Ternary.NO
        token = self._tokens.get((snapshot.id, address))
        if token is None:
            wrapped = snapshot.key("index", _VERSION)
            if wrapped is None:
                return Ternary.UNKNOWN
            try:
                key = self._org_keys.open(snapshot.id, "index", _VERSION, wrapped)
            except CarepostError:
                return Ternary.UNKNOWN
            token = self._tokens[snapshot.id, address] = index.token(key, "address", address)
            if len(self._tokens) > _REMEMBERED:
                self._tokens.popitem(last=False)
        return Ternary.YES if token in snapshot.suppressed else Ternary.NO
