"""The views through which the engine sees return paths (`OrgSnapshot.return_path`) and how an organisation sends
(`directory.sending`); a change is a new migration."""

from typing import Any, Final

V1: Final = """
    CREATE VIEW engine_return_path AS
    SELECT r.org_id AS org, r.domain
    FROM destinations_returnpath r"""


def create(_apps: Any, editor: Any) -> None:
    editor.execute(V1, params=None)


def drop(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_return_path", params=None)


#: of migration 0005
V2: Final = """
    CREATE VIEW engine_return_path AS
    SELECT r.org_id AS org, r.domain, r.smtp
    FROM destinations_returnpath r"""


def create_v2(_apps: Any, editor: Any) -> None:
    editor.execute(V2, params=None)


#: of the days of a warm-up, the last of each
SENDING_V1: Final = {
    "engine_sending_pool": """
        SELECT p.org_id AS org, p.name, p.streams, p.domain FROM destinations_sendingpool p""",
    "engine_sending_address": """
        SELECT a.org_id AS org, a.ip, a.helo, a.pool, a.state, a.warms_from <> 0 AS warming
        FROM destinations_sendingaddress a""",
    "engine_provider_limit": """
        SELECT l.org_id AS org, l.provider, l.connections, l.messages, l.per_minute, l.per_hour, l.dials
        FROM destinations_providerlimit l""",
    "engine_warm_day": """
        SELECT w.org_id AS org, w.ip, w.provider, w.day, w.cap, w.delivered
        FROM destinations_warmday w
        WHERE w.day = (SELECT max(o.day) FROM destinations_warmday o
                       WHERE o.org_id = w.org_id AND o.ip = w.ip AND o.provider = w.provider)""",
    "engine_measure": """
        SELECT m.org_id AS org, m.source, m.provider, m.reaction, m.since, m.until, m.lifted_at
        FROM destinations_asked m""",
}


def create_sending(_apps: Any, editor: Any) -> None:
    for name, select in SENDING_V1.items():
        editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop_sending(_apps: Any, editor: Any) -> None:
    for name in SENDING_V1:
        editor.execute(f"DROP VIEW {name}", params=None)


#: of migration 0006: how far ahead messages may be scheduled
AHEAD: Final = """
    CREATE VIEW engine_ahead AS
    SELECT a.org_id AS org, a.days
    FROM destinations_ahead a"""


def create_ahead(_apps: Any, editor: Any) -> None:
    editor.execute(AHEAD, params=None)


def drop_ahead(_apps: Any, editor: Any) -> None:
    editor.execute("DROP VIEW engine_ahead", params=None)
