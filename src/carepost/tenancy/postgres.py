"""What PostgreSQL gets beyond Django's tables, after every migration and again at every start: (org_id, id) as primary
key, composite foreign keys, forced row security, and one role for each process (DESIGN 2, 5).

Idempotent, so that a table any app adds is covered by the migration that adds it. `tests/floors` checks the result.
"""

from typing import Any, Final

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from carepost.crypto import scram
from carepost.ground import postgres
from carepost.ground.errors import ConfigError
from carepost.ground.keys import PurposeKeys

#: tables of all organisations: no `org_id`, no row security (docs/decisions)
SHARED: Final = frozenset({
    "account_emailaddress", "account_emailconfirmation", "auth_group", "auth_group_permissions", "auth_permission",
    "carepost_cache", "django_content_type", "django_migrations", "django_session", "mfa_authenticator",
    "tenancy_domainclaim", "tenancy_outboxevent", "tenancy_outboxhead", "tenancy_signinlink", "tenancy_staff",
    "senders_stspolicy", "cold_target", "engagement_sharednetwork", "audit_log", "audit_schema", "audit_source",
    "archive_mark",
})  # fmt: skip

_READ, _WRITE = "SELECT", "SELECT, INSERT, UPDATE, DELETE"
_APPEND = "INSERT"
#: table name (or the beginning of it, ending in *) -> role -> privileges; the first entry that fits counts
_GRANTS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("engine_*", {"engine": _READ, "staff": _READ, "journal": _READ}),
    ("tenancy_outboxhead", {"staff": _WRITE, "outside": _WRITE, "journal": _WRITE}),
    ("tenancy_outboxevent", {"staff": _APPEND, "outside": _APPEND, "journal": _WRITE}),
    ("tenancy_organisation", {"staff": _WRITE, "outside": _READ, "journal": "SELECT, UPDATE"}),
    ("tenancy_orgepoch", {"staff": _WRITE, "outside": _READ, "journal": "SELECT, UPDATE"}),
    ("tenancy_orgkey", {"staff": _WRITE, "outside": _READ, "journal": "SELECT, INSERT, UPDATE"}),
    ("tenancy_dkimkey", {"staff": _WRITE, "journal": "SELECT, INSERT, UPDATE"}),
    ("tenancy_unit", {"staff": _WRITE, "outside": _READ, "journal": _READ}),
    ("tenancy_senderdomain", {"staff": _WRITE, "outside": _READ, "journal": _READ}),
    ("tenancy_domainclaim", {"staff": _WRITE, "outside": _READ, "journal": _READ}),
    ("tenancy_suppression", {"staff": _WRITE, "journal": _WRITE}),
    # whoever ends a deposit asks whether its body must stay
    (
        "tenancy_legalhold",
        {"staff": _WRITE, "outside": "SELECT (org_id, message, state)", "journal": "SELECT, UPDATE"},
    ),
    ("tenancy_signinlink", {"staff": _WRITE, "journal": "SELECT, DELETE"}),
    # when they were last used
    ("tenancy_apikey", {"staff": _WRITE, "journal": "SELECT, UPDATE (last_used_at)"}),
    ("tenancy_credential", {"staff": _WRITE, "journal": "SELECT, UPDATE (last_used_at)"}),
    ("tenancy_*", {"staff": _WRITE, "journal": _READ}),
    ("mailbox_*", {"staff": _WRITE, "outside": _WRITE, "journal": _WRITE}),
    # what shows a body reads where it lies; what ends it says so
    ("cold_target", {"staff": _WRITE, "outside": _READ, "journal": "SELECT, UPDATE"}),
    ("cold_item", {"staff": "SELECT, UPDATE", "outside": "SELECT, UPDATE", "journal": _WRITE}),
    ("archive_*", {"staff": _WRITE, "journal": _WRITE}),
    # private keys: not for what faces outside
    ("keyring_ownkey", {"staff": _WRITE, "journal": "SELECT, INSERT, UPDATE"}),
    ("keyring_authoritylist", {"staff": _WRITE, "outside": _READ, "journal": _WRITE}),
    ("keyring_authority", {"staff": _WRITE, "journal": "SELECT, UPDATE"}),
    ("keyring_issued", {"staff": _WRITE, "journal": "SELECT, INSERT, UPDATE"}),
    ("keyring_*", {"staff": _WRITE, "outside": _WRITE, "journal": _WRITE}),
    ("detection_*", {"staff": _WRITE, "journal": _READ}),
    ("drafts_*", {"staff": _WRITE, "journal": "SELECT, DELETE"}),
    ("destinations_*", {"staff": _WRITE, "journal": _WRITE}),
    ("templates_*", {"staff": _WRITE, "journal": _READ}),
    ("uploads_*", {"staff": _WRITE, "journal": "SELECT, DELETE"}),
    ("jobs_*", {"staff": _WRITE, "journal": _WRITE}),
    ("gateway_*", {"staff": _WRITE, "journal": _WRITE}),
    # what faces outside writes hits; it never learns what is watched, nor by whom that was attested
    ("engagement_copy", {"staff": _READ, "outside": "SELECT, INSERT, UPDATE", "journal": _WRITE}),
    ("engagement_hit", {"staff": _READ, "outside": "SELECT, INSERT, UPDATE", "journal": _WRITE}),
    # that a person opened the portal it lays down, and never reads
    ("engagement_session", {"staff": _READ, "outside": "INSERT", "journal": _WRITE}),
    # it must know what a network is said to be, and not why
    ("engagement_network", {"staff": _WRITE, "outside": "SELECT (org_id, prefix, means)", "journal": _READ}),
    ("engagement_sharednetwork", {"staff": _WRITE, "outside": "SELECT (prefix, means)", "journal": _READ}),
    ("engagement_*", {"staff": _WRITE, "journal": _WRITE}),
    ("webhooks_*", {"staff": _WRITE, "journal": "SELECT, UPDATE"}),
    ("webhookcalls_*", {"staff": _READ, "journal": _WRITE}),
    # public: served to everybody who asks
    ("senders_stspolicy", {"staff": _WRITE, "outside": _READ, "journal": _READ}),
    ("senders_*", {"staff": _WRITE, "journal": _WRITE}),
    ("review_*", {"staff": _WRITE, "journal": _WRITE}),
    ("audit_key", {"staff": _READ, "outside": _READ, "journal": _WRITE}),
    # the latest signed checkpoint stands in a header of the engine's answers
    ("audit_checkpoint", {"staff": _READ, "engine": _READ, "journal": _WRITE}),
    ("audit_*", {"staff": _READ, "journal": _WRITE}),
    # the journal clears out what has expired, and sees nothing of what stands in a session
    ("django_session", {"staff": _WRITE, "journal": "SELECT (expire_date), DELETE"}),
    ("carepost_cache", {"staff": _WRITE}),
    ("django_migrations", {"staff": _READ, "outside": _READ, "journal": _READ}),
    ("*", {"staff": _WRITE}),
)

#: '*' is every organisation (`scope.every`); what faces outside can never say it
_FUNCTION = """
CREATE OR REPLACE FUNCTION carepost_mine(org uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (current_setting('carepost.org', true) = '*' AND current_user <> current_database() || '_outside')
        OR org = NULLIF(NULLIF(current_setting('carepost.org', true), ''), '*')::uuid
$$"""

_TABLES = """
SELECT c.relname, bool_or(a.attname = 'org_id'), bool_or(a.attname = 'id'), c.relforcerowsecurity
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
GROUP BY c.relname, c.relforcerowsecurity ORDER BY c.relname"""

_RELATIONS = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p', 'v') AND relnamespace = current_schema()::regnamespace ORDER BY relname"""

#: constraint, type, table, its columns, the table it refers to, the columns there
_CONSTRAINTS = """
SELECT k.conname, k.contype, t.relname,
       ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i)::text[],
       COALESCE(r.relname, '')
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid LEFT JOIN pg_class r ON r.oid = k.confrelid
WHERE k.contype IN ('p', 'u', 'f') AND k.connamespace = current_schema()::regnamespace"""


def after_migrate(using: str, **_signal: Any) -> None:
    """Django's `post_migrate` for the database `using`: nothing to do on SQLite."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        with transaction.atomic(using=using), connection.cursor() as cursor:
            harden(cursor)


def harden(cursor: CursorWrapper) -> None:
    """As the owner of the tables, inside one transaction."""
    cursor.execute(_FUNCTION)
    cursor.execute(_TABLES)
    tables = cursor.fetchall()
    _composite(cursor, {name for name, org, row, _ in tables if org and row})
    for name, has_org, _, forced in tables:
        column = "org_id" if has_org else "id" if name == "tenancy_organisation" else ""
        if column and not forced:
            cursor.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
            cursor.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
            mine = f"carepost_mine({column})"
            cursor.execute(f"CREATE POLICY carepost_org ON {name} USING ({mine}) WITH CHECK ({mine})")


def _composite(cursor: CursorWrapper, owned: set[str]) -> None:
    """Primary keys first need the foreign keys on them gone, and composite foreign keys need the new primary keys."""
    cursor.execute(_CONSTRAINTS)
    constraints = cursor.fetchall()
    single = [
        (name, table, columns[0], other)
        for name, kind, table, columns, other in constraints
        if kind == "f" and table in owned and other in owned and len(columns) == 1
    ]
    for name, table, _, _ in single:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, kind, table, columns, _ in constraints:
        if kind == "p" and table in owned and columns == ["id"]:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" PRIMARY KEY (org_id, id)')
        elif kind == "u" and table in owned and columns == ["org_id", "id"]:
            # the primary key is the same index
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, table, column, other in single:
        cursor.execute(
            f'ALTER TABLE {table} ADD CONSTRAINT "{name}" FOREIGN KEY (org_id, {column}) '
            f"REFERENCES {other} (org_id, id) DEFERRABLE INITIALLY DEFERRED"
        )


def grant(cursor: CursorWrapper, database: str, keys: PurposeKeys) -> None:
    """Makes the roles and gives each what its process needs, and nothing else. As the owner, in one transaction.
    Raises ConfigError when the owner may not make roles."""
    cursor.execute("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user")
    if not cursor.fetchone()[0]:
        raise ConfigError("The user of CAREPOST_DATABASE_URL needs CREATEROLE: each process gets a role of its own.")
    cursor.execute(_RELATIONS)
    tables = [name for (name,) in cursor.fetchall()]
    # one installation at a time: roles are rows of tables that all databases share
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('carepost roles'))")
    cursor.execute("SELECT current_schema()")
    schema = _quoted(cursor.fetchone()[0])
    for role in postgres.ROLES:
        name = postgres.role_name(database, role)
        quoted = _quoted(name)
        # PostgreSQL stores a SCRAM verifier as given: the password itself reaches neither server nor log
        login = f"LOGIN PASSWORD '{scram.make(postgres.role_password(keys, role))}'"
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [name])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(f"CREATE ROLE {quoted} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS {login}")
        elif found[0]:
            raise ConfigError(
                f"The PostgreSQL role {name} may pass row security; take SUPERUSER and BYPASSRLS from it."
            )
        else:
            cursor.execute(f"ALTER ROLE {quoted} {login}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
        cursor.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {quoted}")
        for table in tables:
            privileges = _privileges(table, role)
            cursor.execute(f"REVOKE ALL ON {table} FROM {quoted}")
            if privileges:
                cursor.execute(f"GRANT {privileges} ON {table} TO {quoted}")


def _privileges(table: str, role: str) -> str:
    for pattern, roles in _GRANTS:
        if table == pattern or (pattern.endswith("*") and table.startswith(pattern[:-1])):
            return roles.get(role, "")
    return ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
