"""The certification authorities an organisation believes, read once for many messages."""

from collections import OrderedDict
from typing import Final

from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.errors import SmimeError
from carepost.directory.types import OrgSnapshot
from carepost.ground import ids, log

_KEPT: Final = 256


class Anchors:
    def __init__(self) -> None:
        self._stores: OrderedDict[tuple[bytes, ...], TrustStore] = OrderedDict()

    def store(self, snapshot: OrgSnapshot) -> TrustStore:
        """One value for the same authorities. Where one of them cannot be read, none is believed."""
        store = self._stores.get(snapshot.anchors)
        if store is None:
            try:
                store = TrustStore(snapshot.anchors)
            except SmimeError as error:
                log.failure("anchors-unreadable", error, org=ids.text(snapshot.id))
                store = TrustStore()
            self._stores[snapshot.anchors] = store
            if len(self._stores) > _KEPT:
                self._stores.popitem(last=False)
        return store
