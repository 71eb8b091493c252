"""A machine before two clinics: Django's test client at the API's addresses, with bearer keys."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches, set_urlconf

from carepost.settings import faces
from carepost.tenancy.actions import access
from carepost.tenancy.permissions import BOOTSTRAP, Scope
from tests.support.cast import cast, fresh_books, outbox, shard

__all__ = ["cast", "fresh_books", "outbox", "shard"]


class Machine:
    """One API key. Answers are (status, JSON or bytes, headers)."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.http = Client(enforce_csrf_checks=True, raise_request_exception=False, headers={faces.HEADER: "api"})

    def get(self, path: str, **query: str) -> Any:
        return self.http.get(f"/api/v1{path}", query, headers=self._key())

    def post(self, path: str, body: object) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(f"/api/v1{path}", raw, content_type="application/json", headers=self._key())

    def patch(self, path: str, body: object) -> Any:
        raw = json.dumps(body).encode()
        return self.http.patch(f"/api/v1{path}", raw, content_type="application/json", headers=self._key())

    def put(self, path: str, body: object) -> Any:
        raw = json.dumps(body).encode()
        return self.http.put(f"/api/v1{path}", raw, content_type="application/json", headers=self._key())

    def delete(self, path: str) -> Any:
        return self.http.delete(f"/api/v1{path}", headers=self._key())

    def _key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"} if self.secret else {}


@pytest.fixture(autouse=True)
def _addresses() -> Iterator[None]:
    clear_url_caches()
    set_urlconf(None)
    yield
    clear_url_caches()


@pytest.fixture
def machine(cast: Any, outbox: Any) -> Callable[..., Machine]:
    """`machine("search", org=…)`: a key with these scopes (all when none is named)."""

    def make(*scopes: str, org: bytes | None = None) -> Machine:
        wanted = scopes or tuple(one.value for one in Scope)
        return Machine(access.add_key(uuid.UUID(bytes=org or cast.maple), "machine", wanted, actor=BOOTSTRAP).secret)

    return make
