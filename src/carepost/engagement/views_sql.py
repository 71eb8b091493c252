"""The views through which the engine sees what is watched (`OrgSnapshot.tracking`); a change is a new migration."""

from typing import Any, Final

VIEWS: Final = {
    "engine_tracking": """
        SELECT w.org_id AS org, w.category, w.opens, w.clicks
        FROM engagement_watch w""",
    "engine_tracking_host": """
        SELECT h.org_id AS org, h.domain, h.host
        FROM engagement_host h""",
}


def create(_apps: Any, editor: Any) -> None:
    for name, select in VIEWS.items():
        editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop(_apps: Any, editor: Any) -> None:
    for name in VIEWS:
        editor.execute(f"DROP VIEW {name}", params=None)
