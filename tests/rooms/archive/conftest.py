from tests.support.cast import cast, fresh_books, outbox, shard
from tests.support.noon import at

__all__ = ["at", "cast", "fresh_books", "outbox", "shard"]
