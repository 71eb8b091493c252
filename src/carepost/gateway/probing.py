"""A check of a connection that really tries it: what DNS says, what an engine finds at the tenant's host, and, where
the administrator asks, a message once round. Asking happens outside of any transaction; what was found is one act."""

import uuid
from typing import Final, Protocol

from carepost.directory.gateways import decode_settings
from carepost.gateway import records
from carepost.gateway.models import Connection, Finding
from carepost.gateway.providers import PROVIDERS
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.rfc.asking import FAILED, Found, Question, run
from carepost.tenancy import names, scope, select
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.doors import Probe
from carepost.wire.probes import BAD, Probed
from carepost.wire.types import Actor

#: questions of one check
QUESTIONS: Final = 80


class Engine(Protocol):
    """`intake.client.Client`."""

    def ask(self, question: Question) -> Found: ...

    def probe(self, call: Probe) -> tuple[Probed, ...]: ...


def probe(
    org: uuid.UUID, connection: uuid.UUID, *, actor: Actor, engine: Engine, host: str, mailbox: str = "",
    send: bool = False,
) -> tuple[Probed, ...]:  # fmt: skip
    """`host`: this system's name. `mailbox`: an address of the connection's domains that is asked for at the tenant's
    host; `send`: a test message is handed over in its name. Up to 30 s. Raises Wrong, NotFound, Forbidden,
    Unavailable."""
    with scope.organisation(org):
        authorise(actor, Permission.ROUTES, org)
        row = Connection.objects.filter(org_id=org, pk=connection, removed_at=0).first()
        if row is None:
            raise NotFound("There is no such connection.")
        settings = decode_settings(row.settings)
        rows = select.domains(org)
        keys = {one.domain: [(key.selector, key.record) for key in one.dkim_keys.all() if key.signs] for one in rows}
    domains = settings.domains or tuple(keys)
    box = _mailbox(mailbox, domains, send=send)
    course = records.check(records.Asked(settings, host.lower(), domains, keys, PROVIDERS[row.provider].spf))
    found = (*run(course, _Bounded(engine)), *engine.probe(Probe(org.bytes, str(connection), box, send)))
    _keep(org, connection, actor, found, box)
    return found


class _Bounded:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[Question, Found] = {}

    def __call__(self, question: Question) -> Found:
        if question not in self._known:
            over = len(self._known) >= QUESTIONS
            # what was not asked is not known: it is no record that is missing
            self._known[question] = FAILED if over else self._engine.ask(question)
        return self._known[question]


def _mailbox(typed: str, domains: tuple[str, ...], *, send: bool) -> str:
    if not typed.strip():
        if send:
            raise names.Wrong("no-mailbox", "Name a mailbox of yours: the test message is sent in its name.")
        return ""
    box = names.address(typed)
    if box.rpartition("@")[2] not in domains:
        raise names.Wrong("not-our-domain", "That mailbox is not in a sender domain of this connection.")
    return box


def _keep(org: uuid.UUID, connection: uuid.UUID, actor: Actor, found: tuple[Probed, ...], box: str) -> None:
    with act(org, Permission.ROUTES, actor=actor) as doing:
        for one in found:
            Finding.objects.update_or_create(
                org_id=org, connection_id=connection, step=one.step,
                defaults={"at": clock.now(), "state": one.state, "found": one.found[:500], "cause": one.cause[:60]},
            )  # fmt: skip
        # a step that was not tried this time says nothing about now
        Finding.objects.filter(org_id=org, connection_id=connection).exclude(
            step__in=[one.step for one in found]
        ).delete()
        said = " ".join(f"{one.step}={one.cause or one.state}" for one in found)
        values = {"found": said} | ({"mailbox": box} if box else {})
        wrong = any(one.state == BAD for one in found)
        facts = {"gateway": str(connection)}
        doing.event("gateway.probed", on=[connection], facts=facts, values=values, result="failed" if wrong else "ok")
