"""The engines' door, as the mailbox and the faces call it."""

from carepost.tenancy.engines import client

__all__ = ["client"]
