"""The view through which the engine sees uploads (`directory.shelf`); a change is a new migration."""

from typing import Any, Final

V1: Final = """
    CREATE VIEW engine_upload AS
    SELECT u.org_id AS org, u.id, u.expires_at AS until, u.size, u.head, u.data
    FROM uploads_upload u"""


def create(_apps: Any, editor: Any) -> None:
    editor.execute(V1, params=None)


def drop(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_upload", params=None)
