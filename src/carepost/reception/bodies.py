"""How many bytes of messages this process holds in memory: at most `limit` (DESIGN 5), then 452 or 503."""


class Bodies:
    """A count shared by every listener of the process. Not thread-safe: used on the loop only."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def take(self, size: int) -> bool:
        """False: no room; nothing was taken."""
        if self.held + size > self.limit:
            return False
        self.held += size
        return True

    def give(self, size: int) -> None:
        self.held -= size
