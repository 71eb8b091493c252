"""The views through which the engine sees the organisation's own keys: what there is of them (`directory.sql`), and the
keys themselves, one at a time (`directory.ownkeys`). A change is a new migration."""

from typing import Any, Final

V1: Final = {
    "engine_own_key": """
        SELECT k.org_id AS org, k.id, k.token, k.method, k.signs, k.decrypts, k.always, k.state = 'retired' AS retired,
               k.until, k.not_after, substr(k.wrapped, 1, 2) AS head
        FROM keyring_ownkey k WHERE k.state IN ('active', 'retired')""",
    "engine_own_secret": """
        SELECT k.org_id AS org, k.id, k.wrapped, k.sealed
        FROM keyring_ownkey k WHERE k.state IN ('active', 'retired')""",
}
#: instead of V1's, since migration 0008: with the keys of own authorities, which neither sign nor open mail; they are
#: there so that whoever counts what a master key wraps counts them too
V2: Final = """
    SELECT k.org_id AS org, k.id, k.token, k.method, k.signs, k.decrypts, k.always, k.state = 'retired' AS retired,
           k.until, k.not_after, substr(k.wrapped, 1, 2) AS head
    FROM keyring_ownkey k WHERE k.state IN ('active', 'retired')
    UNION ALL
    SELECT a.org_id, a.id, substr(a.wrapped, 1, 0), 'smime', false, false, false, true,
           0, a.not_after, substr(a.wrapped, 1, 2)
    FROM keyring_ownauthority a"""


def create(_apps: Any, editor: Any) -> None:
    for name, select in V1.items():
        editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop(_apps: Any, editor: Any) -> None:
    for name in V1:
        editor.execute(f"DROP VIEW {name}", params=None)


def widen(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_own_key", params=None)
    editor.execute(f"CREATE VIEW engine_own_key AS {V2}", params=None)


def narrow(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_own_key", params=None)
    editor.execute(f"CREATE VIEW engine_own_key AS {V1['engine_own_key']}", params=None)
