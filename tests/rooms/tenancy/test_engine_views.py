"""The engine's directory over the office's tables: every action arrives, every revocation holds at the next look."""

import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from sqlcipher3 import dbapi2

from carepost.directory import Directory, bearer
from carepost.directory import postgres as postgres_source
from carepost.directory.sql import COLUMNS, SqlSource
from carepost.directory.types import HOLD, PINNED_RULE, OrgSnapshot, Route
from carepost.ground.errors import NotFound, Unavailable
from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Assurance, Method, Rule, TlsPolicy
from carepost.tenancy.actions import access, domains, organisations, policy, routes, staff, suppression
from carepost.tenancy.actions import keys as key_actions
from carepost.tenancy.permissions import COMMAND_LINE

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)


def connecting() -> tuple[Callable[[], Any], tuple[str, ...], str]:
    """A connection of the engine's own to the database of this test; how a reading begins there; the placeholder."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "postgresql":
        own = connection.get_connection_params()
        wanted = {k: own[k] for k in ("dbname", "user", "password", "host", "port") if k in own}
        return lambda: psycopg.connect(**wanted, autocommit=True), postgres_source.BEGIN, "%s"

    def connect() -> Any:
        return dbapi2.connect(name, uri=True, isolation_level=None, timeout=5, check_same_thread=False)

    return connect, ("BEGIN",), "?"


def source(keys: PurposeKeys | None) -> SqlSource:
    connect, begin, placeholder = connecting()
    return SqlSource(connect, begin=begin, placeholder=placeholder, keys=keys)


@pytest.fixture
def directory(cast: Any) -> Any:
    made = Directory(source(settings.CAREPOST_KEYS))
    made.poll()
    yield made
    made.stop()


def test_the_views_have_exactly_the_columns_the_directory_reads(db: None) -> None:
    with connection.cursor() as cursor:
        for view, columns in COLUMNS.items():
            cursor.execute(f"SELECT * FROM {view} WHERE 1 = 0")
            assert sorted(c[0] for c in cursor.description) == sorted(("org", *columns)), view


def test_a_whole_organisation_arrives_as_it_was_made(cast: Any, directory: Directory) -> None:
    clinic, ada = cast.clinic, cast.ada
    organisations.change_settings(
        clinic, actor=ada, auditor="auditor@clinic.test", portal_url="https://portal.clinic.test",
        portal_address="portal@clinic.test", floor=Assurance.AUTHENTICATED, patience=60,
    )  # fmt: skip
    heart = organisations.add_unit(clinic, "Heart", actor=ada, notice_name="Willow Heart", phone="+1 555 0142")
    domains.add_domain(clinic, "clinic.test", actor=ada)
    domains.add_domain(clinic, "heart.clinic.test", actor=ada, unit=heart.pk)
    routes.add_route(clinic, "partner.test", "mx.partner.test", 2525, actor=ada)
    full = Rule(
        id="all", position=7, sender_domain="clinic.test", sender="n@clinic.test", recipient_domain="x.test",
        recipient="p@x.test", category="transactional", data_class="part2", floor=Assurance.NONE,
        tls_policy=TlsPolicy.EXCLUSIVE, methods=(Method.PORTAL, Method.TLS), action="hold", attestation="in writing",
    )  # fmt: skip
    policy.add_rule(clinic, full, actor=ada, reason="r")
    wide = Rule(
        id="wide", position=200, direction="outbound", header="subject", contains="[secure]", remove=True,
        size_over=10, hours="mon-fri 08:00-18:00 UTC", action="approve", approvals=2, warn=True, ask_reason=True,
        redirect="r@clinic.test", copies=("c@clinic.test",), strip_tracking=True, tags=("a", "b"), words="Call first.",
    )  # fmt: skip
    policy.add_rule(clinic, wide, actor=ada, reason="r")
    version = policy.add_rule(clinic, Rule(id="heart", floor=Assurance.MESSAGE), actor=ada, reason="r", unit=heart.pk)
    suppression.suppress(clinic, "gone@x.test", actor=ada, reason="bounce")
    key = access.add_key(clinic, "K", ["send", "proof"], actor=ada)
    credential = access.add_credential(clinic, "C", actor=ada, domains=["clinic.test"])
    key_actions.rotate_key(clinic, "content", actor=ada, reason="yearly")

    assert directory.poll()
    seen = directory.snapshot(clinic.bytes)
    assert isinstance(seen, OrgSnapshot)
    assert (seen.name, seen.notice_name, seen.phone) == ("Willow Clinic", "Willow Clinic", "+1 555 0100")
    assert (seen.auditor, seen.portal_url) == ("auditor@clinic.test", "https://portal.clinic.test")
    assert (seen.portal_address, seen.floor, seen.patience) == ("portal@clinic.test", Assurance.AUTHENTICATED, 60)
    assert seen.policy_version == version.label
    heart_rule = Rule(id="heart", floor=Assurance.MESSAGE, sender_domain="heart.clinic.test", unit="Heart")
    assert seen.rules == (full, heart_rule, wide)
    assert [d.domain for d in seen.domains] == ["clinic.test", "heart.clinic.test"]
    plain, inherited = seen.domains
    assert (plain.unit, plain.notice_name, plain.phone) == ("", "Willow Clinic", "+1 555 0100")
    assert (inherited.unit, inherited.notice_name, inherited.phone) == ("Heart", "Willow Heart", "+1 555 0142")
    assert sorted(k.algorithm for k in plain.dkim) == ["ed25519-sha256", "rsa-sha256"]
    for one in plain.dkim:
        aad = b"dkim|" + clinic.bytes + b"|clinic.test|" + one.selector.encode()
        assert settings.CAREPOST_KEYS.unwrap("dkim", one.wrapped, aad)
    (route,) = seen.routes
    assert (route.domain, route.host, route.port, route.ca) == ("partner.test", "mx.partner.test", 2525, "")
    assert seen.keys["content"][0] == 2
    assert seen.keys["evidence"][0] == 1
    assert seen.key("content", 1) not in (None, seen.keys["content"][1])
    assert seen.suppressed == {suppression.token(clinic, "gone@x.test")}
    assert directory.domain_owner("heart.clinic.test") == clinic.bytes
    found = directory.credential(credential.username)
    assert found is not None
    assert (found.id, found.org, found.domains) == (credential.id, clinic.bytes, ("clinic.test",))
    presented = bearer.split(key.secret)
    assert presented is not None
    assert bearer.matches(directory.api_key(presented[0]), presented[1])
    assert directory.snapshot(cast.harbour.bytes).rules == ()


def test_a_pin_with_else_hold_is_a_route_and_a_rule_of_the_decision(cast: Any, directory: Directory) -> None:
    """ "Always TLS to partner.test with this key, else hold": the rule lets no other method be taken."""
    key = "AB:" * 31 + "AB"
    routes.add_route(
        cast.clinic, "partner.test", "mx.partner.test", 25, actor=cast.ada, pins=[key], else_hold=True, reason="agreed"
    )
    directory.poll()
    seen = directory.snapshot(cast.clinic.bytes)
    assert seen.routes == (Route("partner.test", "mx.partner.test", 25, "", ("ab" * 32,), HOLD),)
    rule = Rule(PINNED_RULE, recipient_domain="partner.test", floor=Assurance.AUTHENTICATED, methods=(Method.TLS,))
    assert rule in seen.rules
    routes.remove_route(cast.clinic, "partner.test", actor=cast.ada, reason="moved away")
    directory.poll()
    after = directory.snapshot(cast.clinic.bytes)
    assert (after.routes, rule in after.rules) == ((), False)


def test_every_revocation_holds_at_the_next_look(cast: Any, directory: Directory) -> None:
    clinic, ada = cast.clinic, cast.ada
    domains.add_domain(clinic, "clinic.test", actor=ada)
    key = access.add_key(clinic, "K", ["send"], actor=ada, owner=uuid.UUID(cast.olga.id))
    credential = access.add_credential(clinic, "C", actor=ada)
    other = access.add_credential(clinic, "D", actor=ada, owner=uuid.UUID(cast.olga.id))
    directory.poll()
    assert directory.api_key(key.id)
    assert directory.credential(credential.username)

    access.revoke_credential(clinic, uuid.UUID(credential.id), actor=ada)
    directory.poll()
    assert directory.credential(credential.username) is None

    staff.disable_staff(clinic, uuid.UUID(cast.olga.id), actor=ada, reason="left")
    directory.poll()
    assert directory.api_key(key.id) is None
    assert directory.credential(other.username) is None

    domains.remove_domain(clinic, "clinic.test", actor=ada, reason="sold")
    directory.poll()
    assert directory.domain_owner("clinic.test") is None

    organisations.close_organisation(clinic, actor=COMMAND_LINE, reason="closed")
    directory.poll()
    with pytest.raises(NotFound):
        directory.snapshot(clinic.bytes)


def test_a_rule_about_a_person_without_its_key_is_unreadable_not_missing(cast: Any) -> None:
    policy.add_rule(cast.clinic, Rule(id="p", recipient="p@x.test", action="hold"), actor=cast.ada, reason="r")
    blind = Directory(source(None))
    blind.poll()
    try:
        with pytest.raises(Unavailable):
            blind.snapshot(cast.clinic.bytes)
        assert blind.snapshot(cast.harbour.bytes).name == "Harbour Health"
    finally:
        blind.stop()
