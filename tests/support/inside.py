"""Tests of the office run inside Django: databases in memory (SQLCipher's SQLite), or the PostgreSQL that
CAREPOST_SETTINGS_CHECK names (`tools/test.sh` runs these families on both). Tests that touch the databases are marked
`django_db(databases=["default", "records"])`. A conftest takes the fixtures by importing them."""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import django
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.db import connections

from carepost.crypto import dkim

os.environ.setdefault("CAREPOST_SETTINGS_CHECK", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "carepost.settings.everything")
django.setup()

__all__ = ["django_db_setup", "keys_again", "outside_face"]

#: RSA keys made in one process before the first is given out again: more than any one test makes
_KEYS = 16


@pytest.fixture(scope="session", autouse=True)
def keys_again() -> Iterator[None]:
    """Thousands of tests make an organisation with a domain, and a fresh RSA key is most of what that costs. These are
    real keys, each given out again after _KEYS others."""
    made: list[RSAPrivateKey] = []
    turn = itertools.count()

    def generate(public_exponent: int, key_size: int) -> RSAPrivateKey:
        assert (public_exponent, key_size) == (65537, 2048)
        if len(made) < _KEYS:
            made.append(rsa.generate_private_key(public_exponent, key_size))
            return made[-1]
        return made[next(turn) % _KEYS]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dkim, "generate_private_key", generate)
        yield


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
