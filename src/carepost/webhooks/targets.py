"""Endpoints as the journal knows them, secrets and all; read anew when an event says that something changed."""

import uuid

import msgspec

from carepost.crypto.rest import Damaged
from carepost.ground import log, outward
from carepost.ground.errors import NotFound, Refused
from carepost.ground.outward import Place
from carepost.tenancy import scope, sealing
from carepost.webhooks import acts, checking, filters, signing
from carepost.webhooks.filters import Filter
from carepost.webhooks.models import LIVE, Endpoint, Secret
from carepost.webhooks.signing import Keys


class Target(msgspec.Struct, frozen=True):
    org: bytes
    endpoint: bytes
    place: Place
    format: str
    filter: Filter
    kinds: frozenset[str]
    live: bool
    #: an agreement is on file: it may be told what is personal
    agreed: bool
    token: bytes
    #: newest first: (counts until, UTC microseconds or 0; keys)
    secrets: tuple[tuple[int, Keys], ...]

    @property
    def categories(self) -> frozenset[str]:
        return frozenset(self.filter.categories)

    def keys(self, now: int) -> list[Keys]:
        return [keys for ends, keys in self.secrets if not ends or ends > now]

    def __repr__(self) -> str:
        return f"Target({self.endpoint.hex()})"


def load() -> dict[bytes, Target]:
    """By id, every endpoint there is; one that cannot be opened is left out and logged. Raises DatabaseError."""
    with scope.every("the journal tells every organisation's endpoints"):
        rows = list(Endpoint.objects.filter(removed_at=0, org__closed_at=0).order_by("pk"))
        held: dict[uuid.UUID, list[Secret]] = {}
        if rows:
            for one in Secret.objects.filter(endpoint__removed_at=0).order_by("-created_at", "-pk"):
                held.setdefault(one.endpoint_id, []).append(one)
    found = {}
    for row in rows:
        try:
            with scope.organisation(row.org_id):
                found[row.pk.bytes] = _target(row, held.get(row.pk, []))
        except (Damaged, NotFound, Refused, msgspec.MsgspecError) as error:
            log.failure("webhook-unreadable", error, endpoint=str(row.pk))
    return found


def _target(row: Endpoint, held: list[Secret]) -> Target:
    chosen = filters.decode(row.filter)
    keys = tuple(
        (
            one.ends_at,
            signing.decode(sealing.open_(row.org_id, "evidence", bytes(one.sealed), acts.secret_place(one.pk))),
        )
        for one in held
        if one.sealed
    )
    return Target(
        row.org_id.bytes, row.pk.bytes, outward.place(row.url, checking.allowed()), row.format, chosen,
        filters.wanted(chosen), row.state == LIVE, bool(row.agreement),
        sealing.open_(row.org_id, "evidence", bytes(row.token), acts.token_place(row.pk)), keys,
    )  # fmt: skip
