"""A home on PostgreSQL: one role for each process, none past row security, each with what it needs and no more."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from carepost.directory import Directory
from carepost.directory import postgres as engine_source
from carepost.ground import home, postgres
from carepost.ground.keys import MasterKeyring, PurposeKeys

pytestmark = pytest.mark.postgres

SETUP = """
import json, sys, pathlib
from carepost.settings.migrate import migrate
migrate(pathlib.Path(sys.argv[1]))
migrate()
from carepost.tenancy.actions import organisations, access, domains, staff
from carepost.tenancy.permissions import BOOTSTRAP
made = []
for slug in ("maple", "harbour"):
    org = organisations.create_organisation(slug, slug.title(), actor=BOOTSTRAP).pk
    domains.add_domain(org, f"{slug}.test", actor=BOOTSTRAP)
    access.add_key(org, "K", ["send"], actor=BOOTSTRAP)
    staff.add_staff(org, f"ada@{slug}.test", "Ada", "administrator", actor=BOOTSTRAP)
    made.append(str(org))
print(json.dumps(made))
"""

UNIT = "INSERT INTO tenancy_unit (id, org_id, name, notice_name, phone, created_at) VALUES (%s, %s, 'x', '', '', 0)"

WHO = """
import sys
from carepost.settings import boot
boot.setup(sys.argv[1])
from django.db import connections
for alias in ("default", "records"):
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_user, session_user")
        print(*cursor.fetchone())
"""


class Installed(NamedTuple):
    home: home.Home
    url: str
    keys: PurposeKeys
    database: str
    maple: str
    harbour: str

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CAREPOST_", "DJANGO_"))}
        return {**kept, "CAREPOST_HOME": str(self.home.path), "CAREPOST_DATABASE_URL": self.url}

    def connect(self, role: str) -> psycopg.Connection[Any]:
        return psycopg.connect(postgres.role_url(self.url, role, self.keys), autocommit=True)


@pytest.fixture(scope="module")
def installed(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    name, password = f"home_{os.urandom(5).hex()}", os.urandom(8).hex()
    made = home.create(tmp_path_factory.mktemp("roles") / "home", sandbox=True)
    keys = MasterKeyring.create(made.keyring()).purposes()
    parts = urlsplit(postgres_url)
    own = f"{name}_owner:{password}@{parts.netloc.rpartition('@')[2]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {name}_owner LOGIN NOSUPERUSER CREATEROLE PASSWORD '{password}'")
        server.execute(f"CREATE DATABASE {name} OWNER {name}_owner")
        try:
            there = Installed(made, urlunsplit(parts._replace(netloc=own, path=f"/{name}")), keys, name, "", "")
            done = subprocess.run(
                [sys.executable, "-c", SETUP, str(made.path)],
                env=there.environment(), capture_output=True, text=True, timeout=110,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            maple, harbour = json.loads(done.stdout.splitlines()[-1])
            yield there._replace(maple=maple, harbour=harbour)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
            for role in (*postgres.ROLES, "owner"):
                server.execute(f"DROP ROLE IF EXISTS {name}_{role}")


def test_every_process_comes_as_its_own_role(installed: Installed) -> None:
    for process, role in (("staff", "staff"), ("outside", "outside"), ("journal", "journal"), ("command", "staff")):
        done = subprocess.run(
            [sys.executable, "-c", WHO, process],
            env=installed.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout.split() == [f"{installed.database}_{role}"] * 4, done.stderr


def test_no_role_may_pass_row_security_or_make_others(installed: Installed, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as server:
        rows = server.execute(
            "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles "
            "WHERE starts_with(rolname, %s)", (f"{installed.database}_",)
        ).fetchall()  # fmt: skip
    may = dict(rows)
    assert set(may) == {f"{installed.database}_{r}" for r in (*postgres.ROLES, "owner")}
    assert [name for name, powerful in may.items() if powerful] == [f"{installed.database}_owner"]


def seen(connection: psycopg.Connection[Any], scope: str, sql: str) -> set[str]:
    with connection.transaction():
        connection.execute("SELECT set_config('carepost.org', %s, true)", (scope,))
        return {str(value) for (value,) in connection.execute(sql)}


def test_rows_are_seen_under_their_organisation_only(installed: Installed) -> None:
    """HS-30."""
    both = {installed.maple, installed.harbour}
    sql = "SELECT org_id FROM tenancy_senderdomain"
    for role, every in (("staff", both), ("journal", both), ("outside", set())):
        with installed.connect(role) as connection:
            assert {str(v) for (v,) in connection.execute(sql)} == set()
            assert seen(connection, "", sql) == set()
            assert seen(connection, installed.maple, sql) == {installed.maple}
            assert seen(connection, str(uuid.uuid4()), sql) == set()
            assert seen(connection, "*", sql) == every
            assert seen(connection, installed.maple, "SELECT id FROM tenancy_organisation") == {installed.maple}


def test_no_row_is_written_for_another_organisation(installed: Installed) -> None:
    with installed.connect("staff") as connection, connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('carepost.org', %s, true)", (installed.maple,))
        connection.execute(UNIT, (uuid.uuid4(), installed.maple))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(UNIT, (uuid.uuid4(), installed.harbour))


def test_a_key_of_one_organisation_never_points_into_another(installed: Installed) -> None:
    with psycopg.connect(installed.url) as owner:
        owner.execute("SELECT set_config('carepost.org', '*', false)")
        unit = uuid.uuid4()
        owner.execute(
            UNIT,
            (unit, installed.harbour),
        )
        owner.execute("UPDATE tenancy_senderdomain SET unit_id = %s WHERE org_id = %s", (unit, installed.maple))
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            owner.commit()


#: role -> what it must not even read, and what it must not write
DENIED = {
    "outside": (
        ["tenancy_staff", "tenancy_apikey", "tenancy_credential", "tenancy_rule", "tenancy_suppression",
         "tenancy_membership", "tenancy_signinlink", "tenancy_outboxevent", "mfa_authenticator", "django_session",
         "archive_message", "archive_block", "audit_leaf", "engine_credential", "engagement_network",
         "engagement_sharednetwork"],
        ["tenancy_organisation", "tenancy_orgkey", "tenancy_orgepoch", "audit_key"],
    ),
    "journal": (["mfa_authenticator"], ["tenancy_staff", "tenancy_apikey"]),
    "staff": (["tenancy_outboxevent"], ["audit_leaf", "audit_checkpoint"]),
    "engine": (
        ["tenancy_organisation", "tenancy_credential", "tenancy_staff", "mailbox_deposit", "audit_leaf"],
        ["engine_route"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("role", DENIED)
def test_a_role_reads_and_writes_nothing_it_does_not_need(role: str, installed: Installed) -> None:
    unread, unwritten = DENIED[role]
    with installed.connect(role) as connection:
        for table in unread:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {table} LIMIT 1")
        for table in unwritten:
            connection.execute(f"SELECT * FROM {table} LIMIT 1")
        for table in (*unread, *unwritten):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"DELETE FROM {table}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (x int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER TABLE tenancy_organisation NO FORCE ROW LEVEL SECURITY")


def test_what_faces_outside_learns_what_a_network_is_and_not_why(installed: Installed) -> None:
    made = (
        "INSERT INTO engagement_network (id, org_id, prefix, means, note, changed_at) VALUES (%s, %s, %s, %s, 'n', 0)"
    )
    for org, prefix in ((installed.maple, "192.0.2.0/24"), (installed.harbour, "198.51.100.0/24")):
        with installed.connect("staff") as staff, staff.transaction():
            staff.execute("SELECT set_config('carepost.org', %s, true)", (org,))
            staff.execute(made, (uuid.uuid4(), org, prefix, "scanner"))
    sql = "SELECT prefix FROM engagement_network WHERE means = 'scanner'"
    with installed.connect("outside") as outside:
        assert seen(outside, installed.maple, sql) == {"192.0.2.0/24"}
        assert seen(outside, "*", sql) == set()
        assert seen(outside, "", "SELECT prefix, means FROM engagement_sharednetwork") == set()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            seen(outside, installed.maple, "SELECT note FROM engagement_network")


def test_the_journal_clears_sessions_out_and_sees_nothing_of_them(installed: Installed) -> None:
    with installed.connect("journal") as connection:
        connection.execute("DELETE FROM django_session WHERE expire_date < now()")
        for column in ("session_key", "session_data", "*"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT {column} FROM django_session")


def test_the_engine_reads_every_organisation_through_the_views(installed: Installed) -> None:
    directory = Directory(engine_source.source(installed.url, installed.keys))
    directory.poll()
    try:
        names = {directory.snapshot(org).name for org in directory.organisations()}
        assert names == {"Maple", "Harbour"}
        assert directory.domain_owner("harbour.test") == uuid.UUID(installed.harbour).bytes
    finally:
        directory.stop()


def test_a_user_that_may_not_make_roles_is_told_so(installed: Installed, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"ALTER ROLE {installed.database}_owner NOCREATEROLE")
        try:
            code = "from carepost.settings.migrate import migrate\nmigrate()"
            done = subprocess.run(
                [sys.executable, "-c", code], env=installed.environment(), capture_output=True, text=True, timeout=60
            )
            assert "CREATEROLE" in done.stderr.splitlines()[-1]
        finally:
            server.execute(f"ALTER ROLE {installed.database}_owner CREATEROLE")
