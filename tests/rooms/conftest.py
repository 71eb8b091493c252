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


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix(request: pytest.FixtureRequest) -> None:
    """A database in memory belongs to its process; with the suffix pytest-django would give it in parallel runs it
    would become a file in the folder the tests are started in, shared with every other run there."""
    from django.conf import settings
    from pytest_django.fixtures import _set_suffix_to_test_databases

    if settings.DATABASES["default"]["NAME"] != ":memory:":
        worker = getattr(request.config, "workerinput", {}).get("workerid", "")
        if worker:
            _set_suffix_to_test_databases(suffix=worker)
