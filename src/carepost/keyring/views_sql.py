"""The views through which the engine sees recipients' certificates (`directory.sql`); a change is a new migration."""

from typing import Any, Final

V1: Final = """
    CREATE VIEW engine_recipient_key AS
    SELECT k.org_id AS org, k.id, k.token, k.method, k.pinned, k.state = 'changed' AS changed, k.not_after, k.sealed
    FROM keyring_recipientkey k WHERE k.state IN ('in use', 'changed')"""


def create(_apps: Any, editor: Any) -> None:
    editor.execute(V1, params=None)


def drop(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_recipient_key", params=None)


#: beside V1, since migration 0005
V2: Final = {
    "engine_key_source": """
        SELECT d.org_id AS org, d.sources, d.unknown_ok FROM keyring_discovery d""",
    "engine_anchor": """
        SELECT a.org_id AS org, a.der FROM keyring_anchor a""",
}


def create_v2(_apps: Any, editor: Any) -> None:
    editor.execute(V1, params=None)
    for name, select in V2.items():
        editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop_v2(apps: Any, editor: Any) -> None:
    drop(apps, editor)
    for name in V2:
        editor.execute(f"DROP VIEW {name}", params=None)
