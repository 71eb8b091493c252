"""The console's pages as its navigation shows them: those used all day stand alone, the others in groups."""

from collections.abc import Callable
from typing import Final

import msgspec
from django.urls import reverse

from carepost.tenancy.permissions import Permission


class Entry(msgspec.Struct, frozen=True):
    """A page. `routes`: those that belong to it (`console:` names)."""

    label: str
    route: str
    permission: Permission
    routes: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True):
    label: str
    entries: tuple[Entry, ...]


class Shown(msgspec.Struct, frozen=True):
    label: str
    url: str
    current: bool
    #: whether the number of held messages stands beside it
    counts: bool = False


class Fold(msgspec.Struct, frozen=True):
    """A group of which the person may open more than one page."""

    label: str
    entries: tuple[Shown, ...]

    @property
    def current(self) -> bool:
        return any(entry.current for entry in self.entries)


PAGES: Final[tuple[Entry | Group, ...]] = (
    Entry("Overview", "overview", Permission.HEALTH),
    Entry("Write", "write", Permission.SEND, ("write-draft", "write-look")),
    Entry(
        "Messages", "messages", Permission.SEARCH,
        ("message", "proof", "act", "retract", "findings", "arrival", "resend"),
    ),
    Entry("Held", "held", Permission.RELEASE, ("held-one", "held-message", "held-decide", "held-letters")),
    Group(
        "Protection",
        (
            Entry(
                "Policy", "policy", Permission.POLICY, ("policy-new", "policy-rule", "policy-remove", "policy-version")
            ),
            Entry(
                "Detection", "words", Permission.POLICY,
                ("words-add", "words-remove", "words-try", "words-reports", "words-settle"),
            ),
            Entry("Check a message", "headers", Permission.READ),
        ),
    ),
    Group(
        "Keys",
        (
            Entry(
                "Certificates", "certificates", Permission.KEYRING,
                ("certificate", "certificate-new", "certificate-several", "certificate-pin", "certificate-distrust",
                 "certificate-sources", "certificate-authority-new"),
            ),
            Entry(
                "Our keys", "own-keys", Permission.KEYRING,
                ("own-key", "own-key-new", "own-key-import", "authority", "own-key-install", "own-key-export",
                 "own-key-certify", "own-key-rotate", "own-key-revoke", "own-key-sign-all", "own-key-take-out",
                 "own-key-keep-in"),
            ),
        ),
    ),
    Group(
        "Delivery",
        (
            Entry("Destinations", "destinations", Permission.HEALTH, ("destination", "destination-pin")),
            Entry(
                "Sending", "sending", Permission.HEALTH,
                ("sending-pool-new", "sending-pool-remove", "sending-address-new", "sending-address", "sending-limit",
                 "sending-limit-new", "sending-lift", "sending-lift-source"),
            ),
            Entry("By provider", "report", Permission.SEARCH),
            Entry("Jobs", "jobs", Permission.SEARCH, ("job", "job-new")),
            Entry(
                "Suppressed", "suppressions", Permission.SUPPRESSION,
                ("suppression-add", "suppression-import", "suppression-remove"),
            ),
            Entry(
                "Domains", "domains", Permission.DOMAINS,
                ("domain", "domain-new", "domain-records", "domain-history", "domain-rules", "domain-keys",
                 "domain-switch", "domain-schedule", "domain-revoke", "domain-policy"),
            ),
            Entry(
                "Opens and clicks", "tracking", Permission.SEARCH,
                ("tracking-settings", "tracking-count", "tracking-host"),
            ),
            Entry(
                "Gateway", "gateways", Permission.ROUTES,
                ("gateway", "gateway-new", "gateway-change", "gateway-sign-in", "gateway-rotate"),
            ),
        ),
    ),
    Group(
        "Settings",
        (
            Entry("First run", "first-run", Permission.ORGANISATION, ("settings", "portal-by-mail")),
            Entry("People", "people", Permission.STAFF, ("person", "person-new")),
            Entry(
                "Programs", "programs", Permission.KEYS,
                ("program-key", "program-key-new", "program-credential", "program-credential-new"),
            ),
            Entry("Templates", "templates", Permission.TEMPLATES, ("template", "template-new")),
            Entry(
                "Webhooks", "webhooks", Permission.WEBHOOKS,
                ("webhook", "webhook-new", "webhook-change", "webhook-rotate", "webhook-agreement", "webhook-replay"),
            ),
            Entry("Legal holds", "holds", Permission.ORGANISATION, ("hold-lift",)),
            Entry("Keys at rest", "org-keys", Permission.ORGANISATION),
            Entry("Health", "health", Permission.HEALTH),
        ),
    ),
)  # fmt: skip


def shown(may: Callable[[Permission], bool], here: str) -> tuple[Shown | Fold, ...]:
    """What the person may open. `here`: the route of this page. A group of one page is that page."""
    found: list[Shown | Fold] = []
    for page in PAGES:
        if isinstance(page, Entry):
            found.extend(_those((page,), may, here))
            continue
        entries = _those(page.entries, may, here)
        found.extend((Fold(page.label, entries),) if len(entries) > 1 else entries)
    return tuple(found)


def first(may: Callable[[Permission], bool]) -> str:
    """Where somebody begins who may not see the overview; "" where there is no page for them."""
    every = (entry for page in shown(may, "") for entry in (page.entries if isinstance(page, Fold) else (page,)))
    return next((entry.url for entry in every), "")


def _those(entries: tuple[Entry, ...], may: Callable[[Permission], bool], here: str) -> tuple[Shown, ...]:
    return tuple(
        Shown(e.label, reverse(f"console:{e.route}"), here in (e.route, *e.routes), e.route == "held")
        for e in entries
        if may(e.permission)
    )
