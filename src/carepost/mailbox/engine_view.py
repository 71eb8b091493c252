"""The view through which the engine sees conversations (`directory.threads`). Changed by a new migration only."""

from typing import Any

from carepost.directory.threads import VIEW

_SELECT = "SELECT t.org_id AS org, t.id, t.engine AS sealed, t.until FROM mailbox_thread t WHERE t.until <> 0"


def create(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"CREATE VIEW {VIEW} AS {_SELECT}", params=None)


def drop(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"DROP VIEW {VIEW}", params=None)
