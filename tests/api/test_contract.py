"""The OpenAPI document and the answers agree (schemathesis), for the office's part of the API.

The engine's part (sends, previews) is tested against the live server in `tests/rooms/reception`."""

import uuid
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from carepost.settings import faces
from carepost.tenancy.actions import access
from carepost.tenancy.permissions import BOOTSTRAP, Scope
from tests.support.cast import cast, fresh_books, outbox, shard
from tests.support.outbox import Outbox
from tests.support.workbench import in_this_process

__all__ = ["cast", "fresh_books", "in_this_process", "outbox", "shard"]

pytestmark = [
    pytest.mark.django_db(databases=["default", "records"]),
    # files of lines have no generator: what they may hold is tested in tests/rooms/api/test_suppressions.py
    pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload media types"),
]


_application = get_wsgi_application()


def api(environ: dict[str, Any], start: Any) -> Any:
    """The application as the engines' relay reaches it."""
    environ["HTTP_" + faces.HEADER.upper().replace("-", "_")] = "api"
    return _application(environ, start)


#: what a mail address, a domain or a word that can be searched for is, JSON Schema cannot say: those are refused by 422
_NOT_SAID = [positive_data_acceptance]
#: the document as the running application gives it, without what the engine answers
SCHEMA = (
    schemathesis.openapi.from_wsgi("/api/v1/openapi.json", api)
    .exclude(path="/health")
    .exclude(path="/api/v1/messages", method="POST")
    .exclude(path="/api/v1/protection/preview")
)


@pytest.fixture
def key(cast: Any, outbox: Outbox) -> str:
    """May do all, in an organisation with a message."""
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.sent(cast.maple, message, delivery)
    outbox.commit()
    every = tuple(one.value for one in Scope)
    return access.add_key(uuid.UUID(bytes=cast.maple), "machine", every, actor=BOOTSTRAP).secret


@SCHEMA.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_answers_are_what_the_document_says(case: Any, key: str) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, excluded_checks=_NOT_SAID)
