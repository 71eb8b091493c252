"""The engines' door, as the archive calls it: what the journal has not seen yet stands with its shard."""

from carepost.tenancy.engines import client

__all__ = ["client"]
