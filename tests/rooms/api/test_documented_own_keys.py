"""The example of docs/api.md about the organisation's own keys, as it stands there, through an engine's listener to the
office."""

import pytest

from carepost.keyring.models import OwnKey
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from tests.support import examples
from tests.support.front import carried_out, key, listener, maple
from tests.support.live import LiveHttp

__all__ = ["listener", "maple"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])


def test_the_example_does_what_it_says(maple: Organisation, listener: LiveHttp) -> None:
    (text,) = examples.naming("own_key")
    said = carried_out(text, listener.url, key(maple, "own-keys"))
    assert said.startswith("active ") and "BEGIN CERTIFICATE" in said
    with scope.organisation(maple.pk):
        assert OwnKey.objects.get(org_id=maple.pk).source == "generated"
