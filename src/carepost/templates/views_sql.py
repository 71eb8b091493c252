"""The view through which the engine sees active templates (`directory.shelf`); a change is a new migration."""

from typing import Any, Final

V1: Final = """
    CREATE VIEW engine_template AS
    SELECT t.org_id AS org, t.id, v.number, v.id AS row_id, v.compiled AS sealed
    FROM templates_template t
    JOIN templates_version v ON v.org_id = t.org_id AND v.template_id = t.id AND v.number = t.active
    WHERE t.removed_at = 0"""


def create(_apps: Any, editor: Any) -> None:
    editor.execute(V1, params=None)


def drop(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_template", params=None)
