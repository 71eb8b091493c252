"""Events told to a real HTTPS receiver, checked there by independent implementations."""

from typing import Any

import pytest
import standardwebhooks

from carepost.ground import ids

pytestmark = pytest.mark.django_db(databases=["default", "records"])


def test_what_happens_to_a_message_is_told_signed_and_in_order(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any
) -> None:
    made = endpoint()
    message, (delivery,) = outbox.accepted(cast.maple)
    outbox.sent(cast.maple, message, delivery)
    house.commit()
    house.round()
    seen = [standardwebhooks.Webhook(made.secret).verify(told.body, told.headers) for told in there.told]
    assert [one["type"] for one in seen] == ["message.accepted", "delivery.queued", "delivery.sent"]
    sent = seen[-1]["data"]
    assert sent["message_id"] == ids.text(message) and sent["delivery_id"] == ids.text(delivery)
    assert (sent["state"], sent["method"], sent["assurance"], sent["code"]) == ("sent", "tls", "VERIFIED", "250")
    assert [told.headers["webhook-id"] for told in there.told] == [one["data"]["event_id"] for one in seen]
    assert all("quillfeather" not in told.body.decode().lower() for told in there.told)
