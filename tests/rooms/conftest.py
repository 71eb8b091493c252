"""Rooms of the office are tested inside Django: databases in memory (SQLCipher's SQLite), or PostgreSQL when
`--postgres` is given. Every test that touches them is marked `django_db(databases=["default", "records"])`."""

import os
from collections.abc import Iterator
from typing import Any

import django
import pytest
from django.db import connections

os.environ.setdefault("CAREPOST_SETTINGS_CHECK", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carepost.settings.everything")
django.setup()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """On PostgreSQL both aliases are one database; a test's transaction is then one connection's."""
    if connections["default"].vendor != "postgresql":
        yield
        return
    connections["records"].close()
    connections["records"] = connections["default"]
    yield
    del connections["records"]


_FACE = ("ROOT_URLCONF", "MIDDLEWARE", "AUTHENTICATION_BACKENDS", "SESSION_COOKIE_NAME", "SESSION_COOKIE_SAMESITE",
         "SESSION_COOKIE_AGE", "CSRF_COOKIE_NAME", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "TEMPLATES")  # fmt: skip


@pytest.fixture
def outside_face(settings: Any) -> None:
    """The portal's middleware, URLs and cookies instead of the console's."""
    from carepost.settings import outside

    for name in _FACE:
        value = getattr(outside, name)
        if name == "ALLOWED_HOSTS":
            value = [*value, "testserver"]
        setattr(settings, name, value)
