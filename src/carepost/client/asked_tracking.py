"""The calls about opens and clicks (docs/api.md), for both clients."""

from collections.abc import Iterable

import msgspec

from carepost.client import calls
from carepost.client.asked import Ask

_TRACKING = "/api/v1/tracking"


class Watched(msgspec.Struct, frozen=True):
    """One category: `opens`, `clicks` off, asked (only messages that ask for it) or on (all that do not say no)."""

    category: str
    opens: str
    clicks: str
    attestation: str
    #: UTC microseconds; 0: never
    changed_at: int


class Network(msgspec.Struct, frozen=True):
    """`means`: scanner, office, filter, vpn or data-centre."""

    network: str
    means: str
    note: str
    changed_at: int


class Tracking(msgspec.Struct, frozen=True):
    """`counts`: human, not-automated or all. `hosts`: sender domain -> host of its links."""

    watched: tuple[Watched, ...]
    counts: str
    hosts: dict[str, str]
    networks: tuple[Network, ...] = ()
    installation_networks: tuple[Network, ...] = ()


class Split(msgspec.Struct, frozen=True):
    """Copies by their best verdict; `counted` by the switch; `sent`: how many left marked for it."""

    sent: int
    human: int
    undetermined: int
    automated: int
    counted: int


class Line(msgspec.Struct, frozen=True):
    day: str
    category: str
    opened: Split
    clicked: Split


class TrackingReport(msgspec.Struct, frozen=True):
    """Newest day first."""

    counts: str
    lines: tuple[Line, ...]
    opened: Split
    clicked: Split


class Fetch(msgspec.Struct, frozen=True):
    """Fetches that were alike. `kind`: open or click; `role` decoy: the hidden link, nobody's click. `verdict`: human,
    automated, undetermined, "" while not judged, with its reason (`because`) and `confidence` in hundredths."""

    kind: str
    role: str
    link: int
    at: int
    last_at: int
    count: int
    verdict: str
    because: str
    confidence: int
    counted: bool


class CopyFetches(msgspec.Struct, frozen=True):
    delivery: str
    fetches: tuple[Fetch, ...]

    @property
    def clicked(self) -> bool:
        """A click that the account counts."""
        return any(one.counted and one.kind == "click" for one in self.fetches)

    @property
    def opened(self) -> bool:
        """A fetch of any kind that the account counts: whoever follows a link has opened the message."""
        return any(one.counted for one in self.fetches)


class MessageTracking(msgspec.Struct, frozen=True):
    message: str
    copies: tuple[CopyFetches, ...]


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
