"""Connections in front of a clinic's own mail system: made, changed, rotated, removed; what the engine sees, and who
may."""

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from django.conf import settings

from carepost.directory import Directory
from carepost.directory.gateways import OAUTH, PASSWORD, RETURN, Login, Settings, open_login
from carepost.gateway import acts, seen, select
from carepost.gateway.steps import HIDDEN, Here, steps
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused
from carepost.proof import kinds
from carepost.proof.event import Event, EventActor
from carepost.tenancy import keys, scope
from carepost.tenancy.actions import access, domains
from carepost.tenancy.permissions import BOOTSTRAP, Forbidden
from carepost.wire.types import Actor
from tests.rooms.tenancy.test_engine_views import source

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

HERE = Here("mail.clinic.test", 2526, 2525, ("clinic.test",))
PASS = Login(PASSWORD, "carepost@clinic.test", "an-invented-word")


@pytest.fixture
def made(cast: Any) -> acts.Made:
    domains.add_domain(cast.clinic, "clinic.test", actor=BOOTSTRAP)
    return acts.add_connection(cast.clinic, "Our Microsoft 365", "microsoft365", actor=cast.ada)


@pytest.fixture
def engine(cast: Any) -> Any:
    directory = Directory(source(settings.CAREPOST_KEYS))

    def look() -> Any:
        directory.poll()
        return directory.snapshot(cast.clinic.bytes).gateways

    yield look
    directory.stop()


def test_a_connection_is_on_record_and_the_engine_knows_its_secret_as_a_hash(cast: Any, told: Any, engine: Any) -> None:
    domains.add_domain(cast.clinic, "clinic.test", actor=BOOTSTRAP)
    told()
    made = acts.add_connection(cast.clinic, "Ours", "microsoft365", actor=cast.ada, reason="autumn")
    (event,) = told()
    assert event.event.kind == "gateway.added" and event.event.facts["provider"] == "microsoft365"
    assert event.personal["reason"] == "autumn" and made.value not in str(event)
    assert made.value not in repr(made)
    (known,) = engine()
    assert known.id == str(made.connection) and known.secrets == (hashlib.sha256(made.value.encode()).digest(),)
    assert "*.mail.protection.outlook.com" in known.settings.shared_names


def test_settings_are_checked_and_told(cast: Any, told: Any, epoch: Any, made: acts.Made, engine: Any) -> None:
    told()
    before = epoch(cast.clinic)
    given = Settings(mode=RETURN, host="mail.clinic-tenant.test", shared_names=("mail.provider.test",))
    acts.change_connection(cast.clinic, made.connection, given, actor=cast.ada)
    (event,) = told()
    assert event.event.kind == "gateway.changed" and event.event.facts["mode"] == "return"
    assert epoch(cast.clinic) == before + 1
    assert engine()[0].settings == given
    for wrong, sentence in (
        (msgspec.structs.replace(given, host=""), "Name your own mail host"),
        (msgspec.structs.replace(given, domains=("harbour.test",)), "not a sender domain"),
        (msgspec.structs.replace(given, shared_networks=("0.0.0.0/0",)), "too wide"),
        (msgspec.structs.replace(given, shared_networks=("here",)), "not an address"),
        (msgspec.structs.replace(given, shared_names=("*.com",)), "host name"),
        (msgspec.structs.replace(given, shared_names=()), "proves itself"),
        (msgspec.structs.replace(given, keys=("abc",)), "64 hexadecimal"),
        (msgspec.structs.replace(given, credential="nobody"), "no such SMTP credential"),
        (msgspec.structs.replace(given, ca="no pem"), "PEM"),
        (msgspec.structs.replace(given, vouched=True), "Say in the reason"),
    ):
        with pytest.raises(Refused, match=sentence):
            acts.change_connection(cast.clinic, made.connection, wrong, actor=cast.ada)
    vouched = msgspec.structs.replace(given, vouched=True)
    acts.change_connection(cast.clinic, made.connection, vouched, actor=cast.ada, reason="TLS rule of 3 March")
    assert told()[-1].personal["reason"] == "TLS rule of 3 March"


def test_a_credential_of_the_organisation_signs_in_as_the_connection(cast: Any, made: acts.Made) -> None:
    password = access.add_credential(cast.clinic, "Exchange", actor=cast.ada)
    one = select.connection(cast.clinic, cast.ada, made.connection)
    given = msgspec.structs.replace(one.settings, credential=password.username)
    acts.change_connection(cast.clinic, made.connection, given, actor=cast.ada)
    directory = Directory(source(settings.CAREPOST_KEYS))
    directory.poll()
    found = directory.credential(password.username)
    directory.stop()
    assert found is not None and found.gateway == str(made.connection)


def test_two_secrets_count_until_the_older_is_ended(cast: Any, told: Any, made: acts.Made, engine: Any) -> None:
    with pytest.raises(Refused, match="Only one"):
        acts.end_secret(cast.clinic, made.connection, actor=cast.ada)
    told()
    second = acts.rotate_secret(cast.clinic, made.connection, actor=cast.ada)
    assert set(engine()[0].secrets) == {acts.digest(made.value), acts.digest(second.value)}
    with pytest.raises(Refused, match="Two secrets"):
        acts.rotate_secret(cast.clinic, made.connection, actor=cast.ada)
    acts.end_secret(cast.clinic, made.connection, actor=cast.ada)
    assert engine()[0].secrets == (acts.digest(second.value),)
    assert [one.event.kind for one in told()] == ["gateway.secret-added", "gateway.secret-ended"]


def test_what_we_sign_in_with_is_sealed_and_shown_to_nobody(cast: Any, told: Any, made: acts.Made, engine: Any) -> None:
    told()
    acts.set_login(cast.clinic, made.connection, PASS, actor=cast.ada)
    (event,) = told()
    assert event.event.facts == {"login": "password", "certificate": "none"} and "invented" not in str(event)
    (known,) = engine()
    assert b"invented-word" not in known.sealed
    with scope.organisation(cast.clinic):
        assert open_login(keys.current(cast.clinic, "evidence")[1], known) == PASS
    one = select.connection(cast.clinic, cast.ada, made.connection)
    assert (one.login, one.user) == ("password", "carepost@clinic.test") and "invented-word" not in repr(one)
    for wrong, sentence in (
        (Login(PASSWORD, "u"), "password is missing"),
        (Login(PASSWORD, "", "w"), "Name the mailbox"),
        (Login(OAUTH, "u", token_url="http://login.test/t", client_id="a", client_secret="s"), "https"),
        (Login(OAUTH, "u", token_url="https://login.test/t", client_id="a"), "client secret or a refresh"),
        (Login(certificate="x", key="y"), "PEM files"),
        (Login(certificate="x"), "needs its key"),
        (Login(PASSWORD, "u", "a\r\nQUIT"), "one line"),
    ):
        with pytest.raises(Refused, match=sentence):
            acts.set_login(cast.clinic, made.connection, wrong, actor=cast.ada)


def test_a_removed_connection_is_gone_for_everybody(cast: Any, made: acts.Made, engine: Any) -> None:
    acts.remove_connection(cast.clinic, made.connection, actor=cast.ada, reason="we left")
    assert engine() == () and select.connections(cast.clinic, cast.ada) == ()
    with pytest.raises(NotFound):
        select.connection(cast.clinic, cast.ada, made.connection)


ACTS: dict[str, Callable[[uuid.UUID, uuid.UUID, Actor], object]] = {
    "add": lambda org, _, by: acts.add_connection(org, "X", "google", actor=by),
    "change": lambda org, row, by: acts.change_connection(org, row, Settings(shared_names=("a.test",)), actor=by),
    "login": lambda org, row, by: acts.set_login(org, row, PASS, actor=by),
    "rotate": lambda org, row, by: acts.rotate_secret(org, row, actor=by),
    "end": lambda org, row, by: acts.end_secret(org, row, actor=by),
    "remove": lambda org, row, by: acts.remove_connection(org, row, actor=by, reason="r"),
    "list": lambda org, _, by: select.connections(org, by),
    "look": lambda org, row, by: select.connection(org, by, row),
}


@pytest.mark.parametrize("name", sorted(ACTS))
def test_strangers_and_others_are_refused_and_nothing_is_left(
    cast: Any, told: Any, epoch: Any, made: acts.Made, name: str
) -> None:
    told()
    before = epoch(cast.clinic)
    for who in (cast.stan, cast.hal, cast.olga, Actor("key", str(uuid.uuid4()))):
        with pytest.raises(Forbidden):
            ACTS[name](cast.clinic, made.connection, who)
    if name not in ("add", "list"):
        # an administrator elsewhere finds nothing of this one's
        with pytest.raises(NotFound):
            ACTS[name](cast.harbour, made.connection, cast.hal)
    assert told() == [] and epoch(cast.clinic) == before


def happened(made: acts.Made, kind: str, at: int, *, cause: str = "", **facts: str) -> Event:
    given = {"gateway": str(made.connection), **facts}
    return Event(
        v=1, id=ids.text(ids.new()), org="", source="shard-0", seq=1, at=at, kind=kind,
        actor=EventActor("gateway", "g"), on=[ids.text(ids.new())], result="ok", cause=cause, policy="", category="",
        commit={}, facts=given,
    )  # fmt: skip


def test_each_step_says_how_it_was_last_seen(cast: Any, made: acts.Made) -> None:
    def words() -> dict[str, tuple[str, str]]:
        one = select.connection(cast.clinic, cast.ada, made.connection)
        return {step.title: (step.tone, step.word) for step in steps(one, HERE)}

    proves = "The header that proves your tenant"
    assert words()[proves] == ("wait", "Nothing proved yet")
    now = clock.now()
    seen.note(cast.clinic.bytes, happened(made, kinds.SENDER_REFUSED, now, cause="gateway-secret"))
    assert words()[proves] == ("bad", "Refused")
    assert words()["Outbound connector to Carepost"] == ("good", "It comes here")
    seen.note(cast.clinic.bytes, happened(made, kinds.MESSAGE_ACCEPTED, now + 5, origin="smtp"))
    assert words()[proves] == ("good", "Proved")
    # told late, or once more: what was seen after it stands
    seen.note(cast.clinic.bytes, happened(made, kinds.MESSAGE_ACCEPTED, now + 1, origin="smtp"))
    one = select.connection(cast.clinic, cast.ada, made.connection)
    assert one.seen["received"].at == now + 5
    # another organisation's journal cannot say anything about it
    seen.note(cast.harbour.bytes, happened(made, kinds.SENDER_REFUSED, now + 9, cause="gateway-loop"))
    assert words()[proves] == ("good", "Proved")
    back = msgspec.structs.replace(one.settings, mode=RETURN, host="h.test", inbound=True)
    acts.change_connection(cast.clinic, made.connection, back, actor=cast.ada)
    seen.note(cast.clinic.bytes, happened(made, kinds.DELIVERY_DEFERRED, now + 9, cause="sign-in-refused"))
    assert words()["The way back into your system"] == ("bad", "Not taken")
    seen.note(cast.clinic.bytes, happened(made, kinds.DELIVERY_SENT, now + 12))
    assert words()["The way back into your system"] == ("good", "Taken")
    assert words()["Mail from the world"] == ("wait", "Nothing came in yet")


def test_a_secret_stands_in_its_step_only_when_it_was_made(cast: Any, made: acts.Made) -> None:
    one = select.connection(cast.clinic, cast.ada, made.connection)
    shown = [value.value for step in steps(one, HERE, made.value) for value in step.values]
    later = [value.value for step in steps(one, HERE) for value in step.values]
    assert made.value in shown and made.value not in later and HIDDEN in later
