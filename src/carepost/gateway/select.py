"""Reading connections. Nothing secret is among it, and nothing of any message but its id."""

import uuid
from typing import Final

import msgspec

from carepost.directory.gateways import PLACE, Settings, decode_login, decode_settings, loop_mark
from carepost.gateway.mends import TITLES, WORDS, mend
from carepost.gateway.models import Connection, Finding, Secret, Seen
from carepost.gateway.providers import PROVIDERS, Provider
from carepost.gateway.seen import RETURNED
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.tenancy import keys, scope, sealing
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire import probes
from carepost.wire.types import Actor


class Last(msgspec.Struct, frozen=True):
    """UTC microseconds; `cause`: reason code, "" where it went well."""

    at: int
    cause: str = ""
    message: str = ""


class Tried(msgspec.Struct, frozen=True):
    """One step of a check: `state` as in `wire.probes`, `mend` in words, "" where nothing is amiss."""

    step: str
    title: str
    state: str
    word: str
    found: str
    mend: str
    at: int


#: microseconds a test message may take to come back
_ROUND: Final = 15 * 60 * 1_000_000


class Shown(msgspec.Struct, frozen=True):
    id: str
    name: str
    provider: Provider
    settings: Settings
    #: when the secrets that count were made, oldest first
    secrets: tuple[int, ...]
    #: how we sign in: "" | password | oauth, and as whom
    login: str
    user: str
    shows_certificate: bool
    #: what `X-Carepost-Returned` says
    mark: str
    seen: dict[str, Last]
    changed_at: int
    #: of the last check, in the order of its steps
    findings: tuple[Tried, ...] = ()


def connections(org: uuid.UUID, actor: Actor) -> tuple[Shown, ...]:
    """By name. Raises Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.ROUTES, org)
        rows = Connection.objects.filter(org_id=org, removed_at=0).order_by("name", "pk")
        return tuple([_shown(row) for row in rows])


def connection(org: uuid.UUID, actor: Actor, row: uuid.UUID) -> Shown:
    """Raises NotFound, Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.ROUTES, org)
        found = Connection.objects.filter(org_id=org, pk=row, removed_at=0).first()
        if found is None:
            raise NotFound("There is no such connection.")
        return _shown(found)


def _shown(row: Connection) -> Shown:
    kind = user = ""
    certificate = False
    if row.sealed:
        login = decode_login(sealing.open_(row.org_id, "evidence", bytes(row.sealed), f"{PLACE}/{row.pk}"))
        kind, user, certificate = login.kind, login.username, bool(login.certificate)
    made = Secret.objects.filter(org_id=row.org_id, connection=row, ended_at=0).order_by("created_at", "pk")
    last = {
        one.step: Last(one.at, one.cause, one.message) for one in Seen.objects.filter(org_id=row.org_id, connection=row)
    }
    return Shown(
        str(row.pk), row.name, PROVIDERS[row.provider], decode_settings(row.settings),
        tuple(made.values_list("created_at", flat=True)), kind, user, certificate,
        loop_mark(keys.purposes(), str(row.pk)), last, row.changed_at,
        _tried(row, last),
    )  # fmt: skip


def _tried(row: Connection, last: dict[str, Last]) -> tuple[Tried, ...]:
    rows = {one.step: one for one in Finding.objects.filter(org_id=row.org_id, connection=row)}
    found = [
        _one(step, one.state, one.found, one.cause, one.at)
        for step in probes.STEPS
        if (one := rows.get(step)) is not None
    ]
    sent, back = rows.get(probes.SENT), last.get(RETURNED)
    if sent is not None and sent.state == probes.GOOD and (back is None or back.at < sent.at):
        late = clock.now() - sent.at > _ROUND
        state, cause = (probes.BAD, "not-returned") if late else (probes.WAITS, "")
        found.append(_one(probes.RETURNED, state, "", cause, sent.at))
    elif back is not None:
        found.append(_one(probes.RETURNED, probes.GOOD, "", "", back.at))
    return tuple(found)


def _one(step: str, state: str, found: str, cause: str, at: int) -> Tried:
    return Tried(step, TITLES[step], state, WORDS[state], found, mend(cause), at)
