"""Keys of an organisation for a page: looked for once, and for no longer than it."""

from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from carepost.ground.errors import NotFound
from carepost.tenancy import keys
from carepost.tenancy.models import OrgKey
from carepost.tenancy.reading import KeysTogether

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def looks(cast: Any, work: Any) -> int:
    with CaptureQueriesContext(connection) as seen:
        work()
    return sum("tenancy_orgkey" in query["sql"] for query in seen.captured_queries)


def test_a_key_is_looked_for_once_in_a_block(cast: Any) -> None:
    def page() -> None:
        with keys.together():
            first = keys.version(cast.clinic, "evidence", 1)
            assert keys.version(cast.clinic, "evidence", 1) == first
            assert keys.version(cast.harbour, "evidence", 1) != first
            for _ in range(2):
                with pytest.raises(NotFound):
                    keys.version(cast.clinic, "evidence", 99)

    assert looks(cast, page) == 3
    assert looks(cast, lambda: [keys.version(cast.clinic, "evidence", 1) for _ in range(3)]) == 3


def test_bi_079_a_destroyed_key_opens_for_no_later_block(cast: Any) -> None:
    with keys.together():
        keys.version(cast.clinic, "evidence", 1)
    OrgKey.objects.filter(org_id=cast.clinic, purpose="evidence").delete()
    with keys.together(), pytest.raises(NotFound):
        keys.version(cast.clinic, "evidence", 1)


@pytest.mark.parametrize(("method", "expected"), [("get", 1), ("head", 1), ("post", 2), ("put", 2), ("delete", 2)])
def test_only_what_shows_looks_once(cast: Any, method: str, expected: int) -> None:
    def answer(_request: object) -> HttpResponse:
        assert keys.version(cast.clinic, "evidence", 1) == keys.version(cast.clinic, "evidence", 1)
        return HttpResponse()

    request = getattr(RequestFactory(), method)("/")
    assert looks(cast, lambda: KeysTogether(answer)(request)) == expected
