"""Tests of the office run inside Django: databases in memory (SQLCipher's SQLite), or the PostgreSQL that
CAREPOST_SETTINGS_CHECK names (`tools/test.sh` runs these families on both). Tests that touch the databases are marked
`django_db(databases=["default", "records"])`. A conftest takes the fixtures by importing them."""

import os
from collections.abc import Iterator
from typing import Any

import django
import pytest
from django.db import connections

os.environ.setdefault("CAREPOST_SETTINGS_CHECK", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carepost.settings.everything")
django.setup()

__all__ = ["django_db_setup", "outside_face"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """On PostgreSQL both aliases are one database; a test's transaction is then one connection's."""
    if connections["default"].vendor != "postgresql":
        yield
        return
    connections["records"].close()
    connections["records"] = connections["default"]
    yield


_FACE = ("ROOT_URLCONF", "MIDDLEWARE", "AUTHENTICATION_BACKENDS", "SESSION_COOKIE_NAME", "SESSION_COOKIE_SAMESITE",
         "SESSION_COOKIE_AGE", "CSRF_COOKIE_NAME", "CSRF_FAILURE_VIEW", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS",
         "TEMPLATES")  # fmt: skip


@pytest.fixture
def outside_face(settings: Any) -> None:
    """The portal's middleware, URLs and cookies instead of the console's."""
    from carepost.settings import outside

    for name in _FACE:
        value = getattr(outside, name)
        if name == "ALLOWED_HOSTS":
            value = [*value, "testserver"]
        setattr(settings, name, value)
