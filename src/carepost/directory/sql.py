"""Reading the `engine_*` views: the contract between the office's migrations and the engine, on both databases.

The views' columns are `COLUMNS`; a migration that changes one changes this page and `VERSION` with it.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from carepost.directory import columns, gateways, recipients, rules, sending, suppressed, words
from carepost.directory.source import Loaded
from carepost.directory.types import (
    AHEAD_DAYS,
    HOLD,
    ApiKey,
    Credential,
    DkimKey,
    OrgSnapshot,
    OwnKey,
    Route,
    SenderDomain,
    Tracking,
    pinned_rule,
)
from carepost.ground.errors import NotFound, Unavailable
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.policy.types import Assurance, Method, Rule
from carepost.wire import found

VERSION: Final = 9

#: view -> its columns after `org`, in the order they are read
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "engine_epoch": ("epoch",),
    "engine_org": (
        "name", "epoch", "policy_version", "notice_name", "phone", "auditor", "portal_url", "portal_address",
        "floor", "patience", "slug", "alerts",
    ),
    "engine_domain": ("domain", "unit", "notice_name", "phone"),
    "engine_dkim": ("domain", "selector", "algorithm", "wrapped"),
    "engine_credential": ("id", "username", "verifier", "domains"),
    "engine_api_key": ("id", "secret_hash", "scopes"),
    "engine_rule": (
        "row_id", "rule", "position", "sender_domain", "recipient_domain", "category", "data_class", "floor",
        "tls_policy", "methods", "portal_by_mail", "action", "sealed", "unit", "more",
    ),
    "engine_route": ("domain", "host", "port", "ca", "pins", "otherwise"),
    "engine_key": ("purpose", "version", "wrapped", "retired", "emptied"),
    "engine_suppression": ("token", "scope", "reason", "until", "removed", "changed"),
    "engine_return_path": ("domain", "smtp"),
    "engine_ahead": ("days",),
    "engine_tracking": ("category", "opens", "clicks"),
    "engine_tracking_host": ("domain", "host"),
    "engine_own_words": ("row_id", "sealed"),
    "engine_recipient_key": ("id", "token", "method", "pinned", "changed", "not_after", "sealed"),
    "engine_gateway": ("id", "provider", "settings", "sealed"),
    "engine_gateway_secret": ("gateway", "digest"),
    "engine_key_source": ("sources", "unknown_ok"),
    "engine_anchor": ("der",),
    **sending.VIEWS,
    "engine_authority": ("head",),
    "engine_own_key": ("id", "token", "method", "signs", "decrypts", "always", "retired", "until", "not_after", "head"),
}  # fmt: skip

#: columns that are fetched where they are used (`directory.recipients`), not read with the rest
LAZY: Final = frozenset({("engine_recipient_key", "sealed")})
#: views read into packed values of their own
_PACKED: Final = frozenset({recipients.VIEW, suppressed.VIEW})
#: where a rule's sealed column stands (`columns.seal`)
RULE_PLACE: Final = "tenancy_rule.sealed"

Connection = Any
Keys = dict[str, tuple[int, bytes]]
Retired = dict[tuple[str, int], bytes]


class SqlSource:
    """A source over one database connection, reopened after a failure. `keys` opens rules about single people;
    a directory that meets such a rule without them is unreadable rather than wrong."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        begin: tuple[str, ...],
        placeholder: str,
        keys: PurposeKeys | None = None,
    ) -> None:
        self._connect = connect
        self._begin = begin
        self._keys = OrgKeys(keys) if keys is not None else None
        self._connection: Connection | None = None
        #: by organisation: what was read of its list so far
        self._suppressed: dict[bytes, suppressed.Suppressed] = {}
        #: by organisation: the index keys its tokens were under then
        self._tokens: dict[bytes, tuple[int, ...]] = {}
        self._since = f" AND changed >= {placeholder}"
        self._select = {
            view: f"SELECT {', '.join(n for n in names if (view, n) not in LAZY)} FROM {view} WHERE org = {placeholder}"  # noqa: S608  constants
            for view, names in COLUMNS.items()
        }

    def epochs(self) -> dict[bytes, int]:
        with self._reading() as connection:
            rows = connection.execute("SELECT org, epoch FROM engine_epoch").fetchall()
            return {_id(org): int(epoch) for org, epoch in rows}

    def load(self, org: bytes) -> Loaded:
        """One organisation as of one moment: all its rows are read in one transaction."""
        with self._reading() as connection:
            rows = {view: self._rows(connection, view, org) for view in COLUMNS if view not in _PACKED}
            known = recipients.PackedKeys.read(self._found(connection, recipients.VIEW, org))
            tokens = _token_versions(rows["engine_key"])
            listed = self._listed(connection, org, tokens)
        if not rows["engine_org"]:
            raise NotFound
        keys, retired = _keys(rows["engine_key"])
        written = [self._rule(row, org, keys, retired) for row in rows["engine_rule"]]
        fronts = gateways.read_all(org, rows["engine_gateway"], rows["engine_gateway_secret"], _text)
        bound = {one.settings.credential: one.id for one in fronts if one.settings.credential}
        credentials = tuple(
            Credential(_text(i), org, username, verifier, tuple(domains.split()), bound.get(_text(i), ""))
            for i, username, verifier, domains in rows["engine_credential"]
        )
        api_keys = tuple(
            ApiKey(_text(i), org, bytes(secret), tuple(scopes.split())) for i, secret, scopes in rows["engine_api_key"]
        )
        made = msgspec.structs.replace(
            _snapshot(org, rows, keys, retired, written, known),
            suppressed=listed,
            token_versions=tokens,
            gateways=fronts,
            own_words=self._words(org, rows["engine_own_words"], keys, retired),
        )
        return Loaded(made, credentials, api_keys)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _listed(self, connection: Connection, org: bytes, tokens: tuple[int, ...]) -> suppressed.Suppressed:
        """The whole list once, then what changed in it; whole again once an index key is out of use."""
        if not set(self._tokens.get(org, ())) <= set(tokens):
            self._suppressed.pop(org, None)
        self._tokens[org] = tokens
        before = self._suppressed.get(org, suppressed.Suppressed())
        since = max(0, before.mark - suppressed.OVERLAP)
        found = connection.execute(self._select[suppressed.VIEW] + self._since, (self._org(org), since))
        now = self._suppressed[org] = before.moved(found)
        return now

    def _rows(self, connection: Connection, view: str, org: bytes) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._found(connection, view, org).fetchall()
        return found

    def _found(self, connection: Connection, view: str, org: bytes) -> Any:
        return connection.execute(self._select[view], (self._org(org),))

    def _org(self, org: bytes) -> str:
        """Both databases compare an id with its text; SQLite keeps it without hyphens."""
        return org.hex()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A read transaction; the connection is dropped after any failure."""
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
        try:
            for statement in self._begin:
                connection.execute(statement)
            yield connection
            connection.execute("COMMIT")
        except NotFound:
            raise
        except Exception:
            self._connection = None
            try:
                connection.close()
            except Exception:  # noqa: S110  the first failure is the one that counts
                pass
            raise

    def _rule(self, row: tuple[Any, ...], org: bytes, keys: Keys, retired: Retired) -> Rule:
        (row_id, rule, position, sender_domain, recipient_domain, category, data_class, floor, tls_policy, methods,
         portal_by_mail, action, sealed, unit, more) = row  # fmt: skip
        personal = self._personal(org, _text(row_id), bytes(sealed), keys, retired) if sealed else ""
        columns_ = {
            "id": rule,
            "position": int(position),
            "sender_domain": sender_domain,
            "recipient_domain": recipient_domain,
            "category": category,
            "data_class": data_class,
            "floor": floor,
            "tls_policy": tls_policy or None,
            "methods": methods.split(),
            "portal_by_mail": bool(portal_by_mail),
            "action": action,
            "unit": unit,
        }
        return rules.read(columns_, more, personal)

    def _words(self, org: bytes, rows: list[tuple[Any, ...]], keys: Keys, retired: Retired) -> words.OwnWords | None:
        """None where the organisation tells detection nothing."""
        for row_id, sealed in rows:
            return words.read(self._opened(org, f"{words.PLACE}/{_text(row_id)}", bytes(sealed), keys, retired))
        return None

    def _personal(self, org: bytes, row: str, sealed: bytes, keys: Keys, retired: Retired) -> str:
        return self._opened(org, f"{RULE_PLACE}/{row}", sealed, keys, retired).decode()

    def _opened(self, org: bytes, place: str, sealed: bytes, keys: Keys, retired: Retired) -> bytes:
        version = columns.key_version(sealed)
        current = keys.get("evidence")
        wrapped = current[1] if current is not None and current[0] == version else retired.get(("evidence", version))
        if self._keys is None or wrapped is None:
            raise Unavailable("directory-sealed", "What an organisation wrote cannot be opened by this process.")
        key = self._keys.open(org, "evidence", version, wrapped)
        return columns.open_(key, org, sealed, place)


def _snapshot(
    org: bytes,
    rows: dict[str, list[tuple[Any, ...]]],
    keys: Keys,
    retired: Retired,
    written: list[Rule],
    known: recipients.PackedKeys,
) -> OrgSnapshot:
    name, epoch, version, notice_name, phone, auditor, portal_url, portal_address, floor, patience, slug, alerts = rows[
        "engine_org"
    ][0]
    routes = tuple(
        Route(d, host, int(port), ca, tuple(pins.split()), otherwise)
        for d, host, port, ca, pins, otherwise in sorted(rows["engine_route"])
    )
    written = written + [pinned_rule(route) for route in routes if route.otherwise == HOLD]
    dkim: dict[str, list[DkimKey]] = {}
    for domain, selector, algorithm, wrapped in rows["engine_dkim"]:
        dkim.setdefault(domain, []).append(DkimKey(selector, algorithm, bytes(wrapped)))
    return OrgSnapshot(
        id=org,
        name=name,
        epoch=int(epoch),
        policy_version=version,
        notice_name=notice_name,
        phone=phone,
        auditor=auditor,
        portal_url=portal_url,
        portal_address=portal_address,
        floor=Assurance(floor),
        patience=int(patience),
        rules=tuple(sorted(written, key=lambda r: (r.position, r.id, r.sender_domain))),
        domains=tuple(
            SenderDomain(d, tuple(dkim.get(d, ())), unit, signed, called)
            for d, unit, signed, called in sorted(rows["engine_domain"])
        ),
        routes=routes,
        keys=keys,
        return_path=next((domain for domain, _ in rows["engine_return_path"]), ""),
        return_path_smtp=any(bool(smtp) for _, smtp in rows["engine_return_path"]),
        tracking={category: Tracking(opens, clicks) for category, opens, clicks in rows["engine_tracking"]},
        tracking_hosts=dict(rows["engine_tracking_host"]),
        retired_keys=retired,
        recipient_keys=known,
        own_keys=_own_keys(rows["engine_own_key"]),
        sending=sending.read(rows),
        authority_heads=tuple(bytes(head) for (head,) in rows["engine_authority"]),
        ahead=next((int(days) for (days,) in rows["engine_ahead"]), AHEAD_DAYS),
        slug=slug,
        alerts=alerts,
        key_sources=_sources(rows["engine_key_source"]),
        anchors=tuple(sorted(bytes(der) for (der,) in rows["engine_anchor"])),
        revocation_unknown_ok=any(bool(ok) for _, ok in rows["engine_key_source"]),
    )


def _sources(rows: list[tuple[Any, ...]]) -> tuple[str, ...]:
    """As the organisation decided, else as it is by default."""
    if not rows:
        return found.DEFAULT
    chosen = {name for sources, _ in rows for name in str(sources).split()}
    return tuple(name for name in found.SOURCES if name in chosen)


def _own_keys(rows: list[tuple[Any, ...]]) -> dict[bytes, tuple[OwnKey, ...]]:
    found: dict[bytes, tuple[OwnKey, ...]] = {}
    for row, token, method, signs, decrypts, always, retired, until, not_after, head in sorted(
        rows, key=lambda r: _text(r[0]), reverse=True
    ):
        known = OwnKey(
            _text(row), Method(method), bool(signs), bool(decrypts), bool(always), bool(retired), int(until),
            int(not_after), bytes(head),
        )  # fmt: skip
        found[bytes(token)] = (*found.get(bytes(token), ()), known)
    return found


def _keys(rows: list[tuple[Any, ...]]) -> tuple[Keys, Retired]:
    keys: Keys = {}
    retired: Retired = {}
    for purpose, number, wrapped, is_retired, _ in sorted(rows, key=lambda row: (row[0], row[1])):
        if is_retired:
            retired[purpose, int(number)] = bytes(wrapped)
            continue
        older = keys.get(purpose)
        if older is not None:
            retired[purpose, older[0]] = older[1]
        keys[purpose] = (int(number), bytes(wrapped))
    return keys, retired


def _token_versions(rows: list[tuple[Any, ...]]) -> tuple[int, ...]:
    standing = {int(number) for purpose, number, _, _, emptied in rows if purpose == "index" and not emptied}
    return tuple(sorted(standing, reverse=True))


def _id(value: object) -> bytes:
    return uuid.UUID(str(value)).bytes


def _text(value: object) -> str:
    return str(uuid.UUID(str(value)))
