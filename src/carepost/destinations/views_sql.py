"""The view through which the engine sees return paths (`OrgSnapshot.return_path`); a change is a new migration."""

from typing import Any, Final

V1: Final = """
    CREATE VIEW engine_return_path AS
    SELECT r.org_id AS org, r.domain
    FROM destinations_returnpath r"""


def create(_apps: Any, editor: Any) -> None:
    editor.execute(V1, params=None)


def drop(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_return_path", params=None)
