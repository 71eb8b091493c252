"""The examples of docs/api.md that begin jobs, as they stand there: through an engine's listener to the office, the
journal's part done beside them."""

import pytest

from carepost.tenancy.models import Organisation
from tests.support import examples
from tests.support.front import carried_out, key, listener, maple
from tests.support.live import LiveHttp
from tests.support.outbox import Outbox

__all__ = ["listener", "maple"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])

EXAMPLES = examples.naming("begin_job")
SAID = ["done 1 message,accepted", "done 0 ['retract']"]


def test_there_is_one_of_each_client() -> None:
    assert [("AsyncClient" in text) for text in EXAMPLES] == [False, True]


@pytest.mark.parametrize("number", range(2))
def test_an_example_does_what_it_says(number: int, maple: Organisation, listener: LiveHttp) -> None:
    outbox = Outbox()
    message, (delivery,) = outbox.accepted(maple.pk.bytes)
    outbox.failed(maple.pk.bytes, message, delivery)
    outbox.commit()
    said = carried_out(EXAMPLES[number], listener.url, key(maple, "jobs", "search", "messages", "retract"))
    assert said.startswith(SAID[number])
