"""What stands among the scopes of an API key besides what it may do: how much it may ask. One column, one contract:
`limit:600` is 600 requests or messages a minute; `test` (a scope like the others) makes everything it sends a test."""

from functools import lru_cache
from typing import Final

TEST: Final = "test"
_LIMIT: Final = "limit:"
#: the most a key can be given
MOST: Final = 10_000_000


def limit_word(per_minute: int) -> str:
    return f"{_LIMIT}{per_minute}"


@lru_cache(maxsize=4096)
def limit_of(scopes: tuple[str, ...]) -> int:
    """Requests or messages a minute; 0: what the server allows."""
    for word in scopes:
        if word.startswith(_LIMIT) and word[len(_LIMIT) :].isdigit():
            return int(word[len(_LIMIT) :])
    return 0


def without_limit(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in scopes if not word.startswith(_LIMIT))
