"""One body out of the cold store, believed only when its SHA-256 is right. With no transaction open: a store that
answers slowly must keep nobody else waiting."""

import hashlib

from carepost.cold import targets
from carepost.cold.models import Item
from carepost.cold.s3 import PATIENCE, Away, Store
from carepost.ground import log

__all__ = ["Away", "fetch", "right"]


def fetch(item: Item) -> bytes:
    """`item` with its target. Raises Away."""
    store = targets.store_of(item.target, PATIENCE)
    try:
        return right(item, store)
    except Away as away:
        log.event("cold-away", cause=away.word)
        raise
    finally:
        store.close()


def right(item: Item, store: Store) -> bytes:
    """What lies there under its name. Raises Away: `missing`, `damaged`, or why it cannot be had."""
    data = store.get(item.name, item.size)
    if hashlib.sha256(data).digest() != bytes(item.digest):
        raise Away("damaged")
    return data
