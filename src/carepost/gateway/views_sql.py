"""The views through which the engine sees connections (`directory.gateways`); a change is a new migration."""

from typing import Any, Final

V1: Final = {
    "engine_gateway": """
        SELECT c.org_id AS org, c.id, c.provider, c.settings, c.sealed
        FROM gateway_connection c WHERE c.removed_at = 0""",
    "engine_gateway_secret": """
        SELECT s.org_id AS org, s.connection_id AS gateway, s.digest
        FROM gateway_secret s WHERE s.ended_at = 0""",
}


def create(_apps: Any, editor: Any) -> None:
    for name, select in V1.items():
        editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop(_apps: Any, editor: Any) -> None:
    for name in V1:
        editor.execute(f"DROP VIEW {name}", params=None)
