"""The view through which the engine sees recipients' certificates (`directory.sql`); a change is a new migration."""

from typing import Any, Final

V1: Final = """
    CREATE VIEW engine_recipient_key AS
    SELECT k.org_id AS org, k.id, k.token, k.method, k.pinned, k.state = 'changed' AS changed, k.not_after, k.sealed
    FROM keyring_recipientkey k WHERE k.state IN ('in use', 'changed')"""


def create(_apps: Any, editor: Any) -> None:
    editor.execute(V1, params=None)


def drop(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_recipient_key", params=None)
