from tests.support.cast import cast, fresh_books, outbox, shard

__all__ = ["cast", "fresh_books", "outbox", "shard"]
