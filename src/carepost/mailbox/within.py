"""One transaction, speaking for one organisation."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from carepost.tenancy import scope


@contextmanager
def within(org: bytes) -> Iterator[None]:
    """`org`: 16 bytes. On PostgreSQL rows of other organisations do not exist inside the block."""
    with scope.organisation(UUID(bytes=org)), transaction.atomic():
        yield
