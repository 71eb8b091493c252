"""Rooms of the office are tested inside Django: databases in memory (SQLCipher's SQLite), or PostgreSQL when
`--postgres` is given. Every test that touches them is marked `django_db(databases=["default", "records"])`."""

import os
from typing import Any

import django
import pytest

os.environ.setdefault("CAREPOST_SETTINGS_CHECK", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carepost.settings.everything")
django.setup()

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
