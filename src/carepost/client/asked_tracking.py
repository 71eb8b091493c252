"""The calls about opens and clicks (docs/api.md), for both clients."""

from collections.abc import Iterable

import msgspec

from carepost.client import calls
from carepost.client.asked import Ask
from carepost.wire.tracked import MessageTracking, Tracking, TrackingReport

_TRACKING = "/api/v1/tracking"


class CampaignTracking(msgspec.Struct, frozen=True):
    """Of all messages with a tag: copies (`recipients`), and those of them `opened` and `clicked` as the account
    counts."""

    messages: int
    recipients: int
    opened: int
    clicked: int


def tracking() -> Ask[Tracking]:
    return Ask(calls.get(_TRACKING), lambda reply: reply.read(Tracking))


def watch(category: str, opens: str, clicks: str, reason: str, attestation: str) -> Ask[Tracking]:
    body = {"opens": opens, "clicks": clicks, "reason": reason, "attestation": attestation}
    return _put(f"categories/{calls.part(category)}", body)


def count_as(counts: str, reason: str) -> Ask[Tracking]:
    return _put("counts", {"counts": counts, "reason": reason})


def set_host(domain: str, host: str, reason: str) -> Ask[Tracking]:
    return _put(f"hosts/{calls.part(domain)}", {"host": host, "reason": reason})


def set_network(network: str, means: str, reason: str, note: str) -> Ask[Tracking]:
    return _put("networks", {"network": network, "means": means, "reason": reason, "note": note})


def _put(where: str, body: dict[str, str]) -> Ask[Tracking]:
    return Ask(calls.put(f"{_TRACKING}/{where}", body), lambda reply: reply.read(Tracking))


def report(days: int, category: str, counts: str) -> Ask[TrackingReport]:
    call = calls.get(f"{_TRACKING}/report", days=days, category=category, counts=counts)
    return Ask(call, lambda reply: reply.read(TrackingReport))


def of_message(id_: str) -> Ask[MessageTracking]:
    return Ask(calls.get(f"{_TRACKING}/messages/{calls.part(id_)}"), lambda reply: reply.read(MessageTracking))


def summed(found: Iterable[tuple[int, MessageTracking]]) -> CampaignTracking:
    """(copies sent, their fetches) of each message, summed."""
    messages = recipients = opened = clicked = 0
    for copies, one in found:
        messages, recipients = messages + 1, recipients + copies
        opened += sum(copy.opened for copy in one.copies)
        clicked += sum(copy.clicked for copy in one.copies)
    return CampaignTracking(messages, recipients, opened, clicked)
