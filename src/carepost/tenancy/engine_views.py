"""The `engine_*` views: what `directory.sql` reads. Changed by a new migration only, never edited after."""

from typing import Any

V1 = {
    "engine_epoch": """
        SELECT e.org_id AS org, e.epoch
        FROM tenancy_orgepoch e JOIN tenancy_organisation o ON o.id = e.org_id
        WHERE o.closed_at = 0""",
    "engine_org": """
        SELECT o.id AS org, o.name, e.epoch, o.policy_version, o.notice_name, o.phone, o.auditor, o.portal_url,
               o.portal_address, o.floor, o.patience, o.slug
        FROM tenancy_organisation o JOIN tenancy_orgepoch e ON e.org_id = o.id
        WHERE o.closed_at = 0""",
    "engine_domain": """
        SELECT d.org_id AS org, d.domain, COALESCE(u.name, '') AS unit,
               COALESCE(NULLIF(d.notice_name, ''), NULLIF(u.notice_name, ''), o.notice_name) AS notice_name,
               COALESCE(NULLIF(d.phone, ''), NULLIF(u.phone, ''), o.phone) AS phone
        FROM tenancy_senderdomain d
        JOIN tenancy_organisation o ON o.id = d.org_id
        LEFT JOIN tenancy_unit u ON u.org_id = d.org_id AND u.id = d.unit_id
        WHERE d.removed_at = 0""",
    "engine_dkim": """
        SELECT k.org_id AS org, d.domain, k.selector, k.algorithm, k.wrapped
        FROM tenancy_dkimkey k JOIN tenancy_senderdomain d ON d.org_id = k.org_id AND d.id = k.domain_id
        WHERE k.retired_at = 0 AND d.removed_at = 0""",
    "engine_credential": """
        SELECT c.org_id AS org, c.id, c.username, c.verifier, c.domains
        FROM tenancy_credential c WHERE c.revoked_at = 0""",
    "engine_api_key": """
        SELECT k.org_id AS org, k.id, k.secret_hash, k.scopes
        FROM tenancy_apikey k WHERE k.revoked_at = 0""",
    "engine_rule": """
        SELECT r.org_id AS org, r.id AS row_id, r.rule, r.position,
               CASE WHEN r.unit_id IS NULL THEN r.sender_domain ELSE d.domain END AS sender_domain,
               r.recipient_domain, r.category, r.data_class, r.floor, r.tls_policy, r.methods, r.portal_by_mail,
               r.action, r.sealed
        FROM tenancy_rule r
        JOIN tenancy_policyversion v ON v.org_id = r.org_id AND v.id = r.version_id
        JOIN tenancy_organisation o ON o.id = r.org_id AND o.policy_version = v.label
        LEFT JOIN tenancy_senderdomain d ON d.org_id = r.org_id AND d.unit_id = r.unit_id AND d.removed_at = 0
        WHERE r.unit_id IS NULL OR d.id IS NOT NULL""",
    "engine_route": """
        SELECT r.org_id AS org, r.domain, r.host, r.port, r.ca
        FROM tenancy_route r WHERE r.removed_at = 0""",
    "engine_key": """
        SELECT k.org_id AS org, k.purpose, k.version, k.wrapped, k.retired_at <> 0 AS retired
        FROM tenancy_orgkey k""",
    "engine_suppression": """
        SELECT s.org_id AS org, s.token FROM tenancy_suppression s""",
}


#: views that differ from V1 since migration 0003
V2 = {
    "engine_route": """
        SELECT r.org_id AS org, r.domain, r.host, r.port, r.ca, r.pins, r.otherwise
        FROM tenancy_route r WHERE r.removed_at = 0""",
}


V3 = {
    "engine_rule": """
        SELECT r.org_id AS org, r.id AS row_id, r.rule, r.position,
               CASE WHEN r.unit_id IS NULL THEN r.sender_domain ELSE d.domain END AS sender_domain,
               r.recipient_domain, r.category, r.data_class, r.floor, r.tls_policy, r.methods, r.portal_by_mail,
               r.action, r.sealed, COALESCE(u.name, '') AS unit, r.more
        FROM tenancy_rule r
        JOIN tenancy_policyversion v ON v.org_id = r.org_id AND v.id = r.version_id
        JOIN tenancy_organisation o ON o.id = r.org_id AND o.policy_version = v.label
        LEFT JOIN tenancy_unit u ON u.org_id = r.org_id AND u.id = r.unit_id
        LEFT JOIN tenancy_senderdomain d ON d.org_id = r.org_id AND d.unit_id = r.unit_id AND d.removed_at = 0
        WHERE r.unit_id IS NULL OR d.id IS NOT NULL""",
}


V4 = {
    "engine_org": """
        SELECT o.id AS org, o.name, e.epoch, o.policy_version, o.notice_name, o.phone, o.auditor, o.portal_url,
               o.portal_address, o.floor, o.patience, o.slug, o.alerts
        FROM tenancy_organisation o JOIN tenancy_orgepoch e ON e.org_id = o.id
        WHERE o.closed_at = 0""",
}


#: of migration 0009: the list by scope, with what was taken off it
SUPPRESSION = """
    SELECT s.org_id AS org, s.token, s.scope, s.reason, s.expires_at AS until, s.removed_at AS removed,
           s.changed_at AS changed
    FROM tenancy_suppression s"""


#: of migration 0012: what was retokened is off the list under its former token (decision 0039)
SUPPRESSION_FORMER = f"""{SUPPRESSION}
    UNION ALL
    SELECT s.org_id AS org, s.former AS token, s.scope, s.reason, s.expires_at AS until, s.changed_at AS removed,
           s.changed_at AS changed
    FROM tenancy_suppression s WHERE length(s.former) > 0"""  # noqa: S608  constants


#: of migration 0012: versions of the index key under which no token without a day stands any more
KEY = """
    SELECT k.org_id AS org, k.purpose, k.version, k.wrapped, k.retired_at <> 0 AS retired, k.emptied_at <> 0 AS emptied
    FROM tenancy_orgkey k"""


#: of migration 0011: keys that sign; those that wait for DNS do not
DKIM = """
    SELECT k.org_id AS org, d.domain, k.selector, k.algorithm, k.wrapped
    FROM tenancy_dkimkey k JOIN tenancy_senderdomain d ON d.org_id = k.org_id AND d.id = k.domain_id
    WHERE k.active_at <> 0 AND k.retired_at = 0 AND d.removed_at = 0"""


def create_dkim(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"CREATE VIEW engine_dkim AS {DKIM}", params=None)


def create_first_dkim(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"CREATE VIEW engine_dkim AS {V1['engine_dkim']}", params=None)


def drop_dkim(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DROP VIEW engine_dkim", params=None)


def create_tokens(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"CREATE VIEW engine_suppression AS {SUPPRESSION_FORMER}", params=None)
    schema_editor.execute(f"CREATE VIEW engine_key AS {KEY}", params=None)


def create_before_tokens(_apps: Any, schema_editor: Any) -> None:
    create_suppression(_apps, schema_editor)
    create_key(_apps, schema_editor)


def drop_tokens(_apps: Any, schema_editor: Any) -> None:
    drop_suppression(_apps, schema_editor)
    drop_key(_apps, schema_editor)


def create_suppression(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"CREATE VIEW engine_suppression AS {SUPPRESSION}", params=None)


def create_first_suppression(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"CREATE VIEW engine_suppression AS {V1['engine_suppression']}", params=None)


def drop_suppression(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DROP VIEW engine_suppression", params=None)


def create_v4(_apps: Any, schema_editor: Any) -> None:
    for name, select in (V1 | V2 | V3 | V4).items():
        schema_editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop_v4(_apps: Any, schema_editor: Any) -> None:
    for name in V1 | V2 | V3 | V4:
        schema_editor.execute(f"DROP VIEW {name}", params=None)


def create_v3(_apps: Any, schema_editor: Any) -> None:
    for name, select in (V1 | V2 | V3).items():
        schema_editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop_v3(_apps: Any, schema_editor: Any) -> None:
    for name in V1 | V2 | V3:
        schema_editor.execute(f"DROP VIEW {name}", params=None)


def create_v2(_apps: Any, schema_editor: Any) -> None:
    for name, select in (V1 | V2).items():
        schema_editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop_v2(_apps: Any, schema_editor: Any) -> None:
    for name in V1 | V2:
        schema_editor.execute(f"DROP VIEW {name}", params=None)


def create_v1(_apps: Any, schema_editor: Any) -> None:
    for name, select in V1.items():
        schema_editor.execute(f"CREATE VIEW {name} AS {select}", params=None)


def drop_v1(_apps: Any, schema_editor: Any) -> None:
    for name in V1:
        schema_editor.execute(f"DROP VIEW {name}", params=None)


def create_key(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"CREATE VIEW engine_key AS {V1['engine_key']}", params=None)


def drop_key(_apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DROP VIEW engine_key", params=None)
