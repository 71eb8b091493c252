from tests.support.cast import cast, fresh_books

__all__ = ["cast", "fresh_books"]
