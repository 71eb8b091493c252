"""The examples of docs/api.md about how mail leaves, as they stand there, through an engine to the office."""

import pytest

from carepost.destinations import ahead
from carepost.tenancy.models import Organisation
from tests.support import examples
from tests.support.front import carried_out, key, listener, maple
from tests.support.live import LiveHttp

__all__ = ["listener", "maple"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])


def test_the_example_lets_messages_lie_further_ahead(maple: Organisation, listener: LiveHttp) -> None:
    (text,) = examples.naming("set_sending_ahead")
    said = carried_out(text, listener.url, key(maple, "sending"))
    assert said.startswith("90 ")
    assert ahead.days(maple.pk) == 90
