"""Tokens of addresses, as the directory holds them: it knows whom it must not write to, and whose keys it has, by these
alone."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import TypeVar

from carepost.crypto import index
from carepost.directory.types import OrgSnapshot
from carepost.ground.errors import CarepostError
from carepost.ground.orgkeys import OrgKeys

_REMEMBERED = 4096
_Row = TypeVar("_Row")


class Tokens:
    def __init__(self, org_keys: OrgKeys) -> None:
        self._org_keys = org_keys
        self._known: OrderedDict[tuple[bytes, str], tuple[tuple[int, ...], tuple[bytes, ...]]] = OrderedDict()

    def of(self, snapshot: OrgSnapshot, address: str) -> tuple[bytes, ...] | None:
        """One under each version of the organisation's index key that may stand in the directory, which is one unless
        the key was changed lately. None where one of them cannot be opened."""
        known = self._known.get((snapshot.id, address))
        if known is not None and known[0] == snapshot.token_versions:
            return known[1]
        made = []
        for version in snapshot.token_versions:
            wrapped = snapshot.key("index", version)
            if wrapped is None:
                return None
            try:
                key = self._org_keys.open(snapshot.id, "index", version, wrapped)
            except CarepostError:
                return None
            made.append(index.token(key, "address", address))
        if not made:
            return None
        tokens = tuple(made)
        self._known[snapshot.id, address] = (snapshot.token_versions, tokens)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return tokens


def rows_of(table: Mapping[bytes, tuple[_Row, ...]], tokens: tuple[bytes, ...]) -> tuple[_Row, ...]:
    """What stands under any of them."""
    if len(tokens) == 1:
        return table.get(tokens[0], ())
    return tuple([row for token in tokens for row in table.get(token, ())])
