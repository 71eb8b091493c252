"""The example of docs/api.md about destinations, as it stands there, through an engine's listener to the office; and
the client's other calls about them."""

import uuid

import pytest

from carepost.client import ApiError, Client
from carepost.tenancy import scope, select
from carepost.tenancy.models import Organisation
from tests.rooms.api.test_destinations import met, weaken
from tests.support import examples
from tests.support.front import carried_out, key, listener, maple
from tests.support.live import LiveHttp

__all__ = ["listener", "maple"]

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "records"])


def test_the_example_does_what_it_says(maple: Organisation, listener: LiveHttp) -> None:
    met(maple.pk.bytes)
    weaken()
    (text,) = examples.naming("pin_destination")
    said = carried_out(text, listener.url, key(maple, "destinations", "routes"))
    assert said.splitlines() == ["lab.test Lost encryption", "mx.lab.test hold"]
    with scope.organisation(maple.pk):
        (route,) = select.routes(maple.pk)
        assert (route.domain, route.port, route.otherwise) == ("lab.test", 25, "hold")


def test_the_client_s_other_calls(maple: Organisation, listener: LiveHttp) -> None:
    row = met(maple.pk.bytes)
    weaken()
    with Client(listener.url, key(maple, "destinations", "routes", "held")) as mail:
        (line,) = mail.find_destinations("lab")
        assert line.id == row and [one.id for one in mail.destinations()] == [row]
        assert len(mail.destination(row).alerts) == 1
        mail.see_destination_alerts(row)
        assert mail.destination(row).alerts == () and list(mail.destinations(attention=True)) == []
        made = mail.pin_destination("lab.test", "mx.lab.test", reason="agreed", otherwise="next", port=26)
        assert mail.pins() == (made,) and mail.destination(row).pin == made
        mail.unpin_destination("lab.test", reason="over")
        assert mail.pins() == ()
        with pytest.raises(ApiError) as refused:
            mail.destination(str(uuid.uuid4()))
        assert refused.value.problem.status == 404
