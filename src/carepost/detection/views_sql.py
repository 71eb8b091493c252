"""The view through which the engine sees an organisation's words (`directory.words`); a change is a new migration."""

from typing import Any, Final

V1: Final = """
    CREATE VIEW engine_own_words AS
    SELECT v.org_id AS org, v.id AS row_id, v.sealed
    FROM detection_vocabulary v
    WHERE v.number = (SELECT MAX(n.number) FROM detection_vocabulary n WHERE n.org_id = v.org_id)"""


def create(_apps: Any, editor: Any) -> None:
    editor.execute(V1, params=None)


def drop(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_own_words", params=None)
