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

#: beside V1, since migration 0010: how the private keys of authorities are wrapped begins so
V2: Final = {
    "engine_authority": """
        SELECT a.org_id AS org, substr(a.wrapped, 1, 2) AS head FROM keyring_authority a""",
}


def create_v2(_apps: Any, editor: Any) -> None:
    for name, select in V2.items():
        editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop_v2(_apps: Any, editor: Any) -> None:
    for name in V2:
        editor.execute(f"DROP VIEW {name}", params=None)


def create(_apps: Any, editor: Any) -> None:
    for name, select in V1.items():
        editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop(_apps: Any, editor: Any) -> None:
    for name in V1:
        editor.execute(f"DROP VIEW {name}", params=None)
