"""The example of docs/api.md that imports a list, as it stands there: through an engine's listener to the office, the
journal's part done beside it."""

import pytest

from carepost.tenancy.models import Organisation
from tests.support import examples
from tests.support.front import carried_out, key, listener, maple
from tests.support.live import LiveHttp
from tests.support.outbox import Outbox

__all__ = ["listener", "maple"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])


def test_the_example_does_what_it_says(maple: Organisation, listener: LiveHttp) -> None:
    Outbox().empty()
    (text,) = examples.naming("begin_suppression_import")
    said = carried_out(text, listener.url, key(maple, "suppressions"))
    first, second = said.splitlines()
    assert first.startswith("2 0 3,") and second == "done 2"
