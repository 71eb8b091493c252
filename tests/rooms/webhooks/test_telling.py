"""Events told to a real HTTPS receiver, checked there by independent implementations."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from sendgrid.helpers.eventwebhook import EventWebhook

from carepost.ground import ids
from carepost.proof import event, kinds
from carepost.tenancy.permissions import BOOTSTRAP, Forbidden
from carepost.webhooks import acts, filters, select, sendgrid
from carepost.webhooks.checking import Agreement
from carepost.webhooks.filters import Filter

pytestmark = pytest.mark.django_db(databases=["default", "records"])

PERSONAL = ("quillfeather", "nurse@maple", "patient.test", "panel", "2.0.0 taken", "ward-7")


def seen(there: Any) -> list[dict[str, Any]]:
    return [json.loads(told.body) for told in there.told]


def one_message(house: Any, outbox: Any, org: bytes, **given: Any) -> tuple[bytes, bytes]:
    message, (delivery,) = outbox.accepted(org, **given)
    outbox.sent(org, message, delivery)
    house.commit()
    house.round()
    return message, delivery


def test_what_happens_to_a_message_is_told_signed_and_in_order(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any
) -> None:
    made = endpoint()
    message, delivery = one_message(house, outbox, cast.maple)
    found = [standardwebhooks.Webhook(made.secret).verify(told.body, told.headers) for told in there.told]
    assert [one["type"] for one in found] == ["message.accepted", "delivery.queued", "delivery.sent"]
    sent = found[-1]["data"]
    assert sent["message_id"] == ids.text(message) and sent["delivery_id"] == ids.text(delivery)
    assert (sent["state"], sent["method"], sent["assurance"], sent["code"]) == ("sent", "tls", "VERIFIED", "250")
    assert [told.headers["webhook-id"] for told in there.told] == [one["data"]["event_id"] for one in found]
    numbers = [one["data"]["order"]["number"] for one in found]
    assert numbers == sorted(numbers)
    # one connection served them all
    assert there.connections <= 3
    assert all(len(told.body) < 20_000 for told in there.told)


def test_without_an_agreement_nothing_personal_is_told_and_a_token_stands_for_the_address(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any
) -> None:
    endpoint()
    for _ in range(2):
        one_message(house, outbox, cast.maple, tags=("ward-7",))
    one_message(house, outbox, cast.maple, to=("Jane.Quillfeather@PATIENT.test",))
    one_message(house, outbox, cast.maple, to=("somebody.else@patient.test",))
    whole = b"".join(told.body for told in there.told).decode().lower()
    assert not [word for word in PERSONAL if word in whole]
    tokens = [one["data"]["email"] for one in seen(there) if one["type"] == "delivery.sent"]
    assert len(set(tokens[:3])) == 1 and tokens[3] != tokens[0]
    assert all(token.endswith("@redacted.invalid") for token in tokens)
    assert all(one["data"]["redacted"] for one in seen(there))


def test_with_an_agreement_it_is_told_and_when_that_ends_no_more(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any
) -> None:
    made, org = endpoint(), uuid.UUID(bytes=cast.maple)
    acts.record_agreement(org, made.endpoint, Agreement("BAA 7", "2026-01-02", "Invented EHR Inc."), actor=BOOTSTRAP)
    house.office()
    one_message(house, outbox, cast.maple, tags=("ward-7",))
    sent = seen(there)[-1]["data"]
    assert sent["email"] == "jane.quillfeather@patient.test" and sent["subject"] == "Results of the Quillfeather panel"
    assert (sent["from"], sent["tags"], sent["response"]) == ("nurse@maple.test", ["ward-7"], "250 2.0.0 Taken")
    assert not sent["redacted"]
    acts.end_agreement(org, made.endpoint, actor=BOOTSTRAP)
    house.office()
    there.told.clear()
    one_message(house, outbox, cast.maple, tags=("ward-7",))
    whole = b"".join(told.body for told in there.told).decode().lower()
    assert there.told and not [word for word in PERSONAL if word in whole]


def test_sendgrids_shape_is_an_array_its_helper_verifies(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any
) -> None:
    made = endpoint(format="sendgrid")
    message, (first, second) = outbox.accepted(cast.maple, ("a@patient.test", "b@patient.test"))
    outbox.sent(cast.maple, message, first)
    outbox.add(
        cast.maple, kinds.DELIVERY_FAILED, [message, second], cause="mailbox-unknown", result="failed",
        facts={"code": "550", "enhanced": "5.1.1", "state": "failed"},
    )  # fmt: skip
    house.commit()
    house.round()
    (told,) = there.told
    assert EventWebhook(made.sendgrid).verify_signature(
        told.body.decode(), told.headers["X-Twilio-Email-Event-Webhook-Signature"],
        told.headers["X-Twilio-Email-Event-Webhook-Timestamp"],
    )  # fmt: skip
    assert standardwebhooks.Webhook(made.secret).verify(told.body, told.headers)
    found = json.loads(told.body)
    assert [one["event"] for one in found] == ["processed", "processed", "delivered", "bounce"]
    bounce = found[-1]
    assert (bounce["status"], bounce["type"], bounce["reason"]) == ("5.1.1", "bounce", "mailbox-unknown")
    assert bounce["sg_message_id"].startswith(ids.text(message))
    assert all(one["email"].endswith("@redacted.invalid") for one in found)
    assert len({one["sg_event_id"] for one in found}) == 4
    assert "patient.test" not in told.body.decode() and "smtp-id" not in bounce


def test_sendgrids_shape_knows_no_mail_that_nobody_sent(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any
) -> None:
    endpoint(format="sendgrid")
    endpoint(format="carepost")
    for origin in ("bounce", "notice", "report", "inbound", "mx", "reply", "portal", "smtp"):
        message, (delivery,) = outbox.accepted(cast.maple, ("a@patient.test",), origin=origin)
        outbox.sent(cast.maple, message, delivery)
    house.commit()
    house.round()
    arrays = [found for told in there.told if isinstance(found := json.loads(told.body), list)]
    assert {one["sg_message_id"].partition(".")[0] for found in arrays for one in found} == {ids.text(message)}
    sent = [
        one for told in there.told if isinstance(one := json.loads(told.body), dict) and one["type"] == "delivery.sent"
    ]
    assert len(sent) == 8


@pytest.mark.parametrize(
    ("chosen", "types"),
    [
        (Filter(events=("delivery.sent",)), ["delivery.sent"]),
        (Filter(events=("message.*", "delivery.attempted")), ["message.accepted", "delivery.attempted"]),
        (Filter(categories=("marketing",)), []),
        (Filter(categories=("transactional",), events=("delivery.sent",)), ["delivery.sent"]),
        (Filter(tags=("ward-7", "x"), events=("delivery.sent",)), ["delivery.sent"]),
        (Filter(tags=("other",)), []),
        (Filter(domains=("maple.test",), events=("delivery.queued",)), ["delivery.queued"]),
        (Filter(domains=("harbour.test",)), []),
    ],
    ids=["kind", "pattern", "category-other", "category", "tag", "tag-other", "domain", "domain-other"],
)  # fmt: skip
def test_filters_let_pass_what_they_say(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any, chosen: Filter, types: list[str]
) -> None:
    endpoint(filter=chosen)
    one_message(house, outbox, cast.maple, tags=("ward-7",))
    assert [one["type"] for one in seen(there)] == types
    # what a filter leaves out is not kept waiting
    assert outbox.store.rows("SELECT count(*) FROM webhookcalls_pending")[0][0] == 0


def test_another_organisations_events_are_not_told(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any
) -> None:
    endpoint()
    one_message(house, outbox, cast.harbour)
    assert there.told == []


def test_an_endpoint_is_told_of_what_stands_in_the_log_behind_it(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any
) -> None:
    outbox.accepted(cast.maple)
    house.commit()
    endpoint()
    house.round()
    assert there.told == []
    outbox.accepted(cast.maple)
    house.commit()
    house.round()
    assert [one["type"] for one in seen(there)] == ["message.accepted", "delivery.queued"]


def test_where_nobody_has_an_endpoint_nothing_is_written_or_asked(
    cast: Any, house: Any, outbox: Any, django_assert_num_queries: Any
) -> None:
    outbox.accepted(cast.maple)
    house.commit()
    outbox.accepted(cast.maple)
    rows, outbox.waiting = outbox.waiting, []
    events = [event.read(row.event) for row in rows]
    with django_assert_num_queries(0):
        assert house.fanout.look(rows, events) is None
    assert house.sender.step() >= 30.0 and house.sender._calls is None


def test_the_paper_names_every_event_and_its_counterpart() -> None:
    paper = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text()
    kinds = "message|delivery|portal|tracking"
    rows = re.findall(rf"^\| `((?:{kinds})\.[a-z-]+)`( \*)? \| [^|]+ \| ([a-z]*) *\|$", paper, re.M)
    assert {kind: other for kind, _, other in rows} == {
        kind: sendgrid.NAMES.get(kind, "") for kind in filters.offered()
    }
    starred = {kind for kind, star, _ in rows if star}
    assert set(filters.offered()) - starred == filters.wanted(Filter())


def test_every_event_offered_is_one_of_mail() -> None:
    offered = filters.offered()
    assert kinds.DELIVERY_SENT in offered and kinds.PORTAL_OPENED in offered and kinds.MESSAGE_ACCEPTED in offered
    assert kinds.MESSAGE_VIEWED not in offered and kinds.CLOCK_STATE not in offered


def test_a_message_says_who_was_told_of_it_by_host_alone(
    cast: Any, house: Any, outbox: Any, endpoint: Any, there: Any
) -> None:
    endpoint()
    message, _ = one_message(house, outbox, cast.maple)
    one_message(house, outbox, cast.maple)
    org = uuid.UUID(bytes=cast.maple)
    told = select.of_message(org, cast.operator, message)
    assert [one.kind for one in told] == ["message.accepted", "delivery.queued", "delivery.sent"]
    assert all(one.status == 204 and one.number == 1 and "/" not in one.host and one.host for one in told)
    assert select.of_message(uuid.UUID(bytes=cast.harbour), cast.stranger, message) == ()
    for stranger in (cast.stranger, cast.sender):
        with pytest.raises(Forbidden):
            select.of_message(org, stranger, message)
