"""Names, passwords and URLs of the PostgreSQL roles, one for each kind of process (DESIGN 5).

CAREPOST_DATABASE_URL names the owner of the tables, who migrates; every other process connects as its own role, whose
password derives from the keyring and is stored nowhere.
"""

from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from carepost.ground.errors import ConfigError
from carepost.ground.keys import PurposeKeys

#: none may bypass row security
ROLES: Final = ("staff", "outside", "journal", "engine")
_LOGIN: Final = frozenset({"user", "password", "passfile", "service"})
#: variables by which libpq logs in without being asked
LOGIN_VARIABLES: Final = ("PGUSER", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE")

#: what every connection is opened with (libpq; seconds, the last in milliseconds): a server that is gone without a word
#: is given up after some ten seconds. By the kernel's own patience a cut connection would be waited for for 15 minutes
PATIENCE: Final[dict[str, Any]] = {
    "connect_timeout": 5, "keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}  # fmt: skip


def bounds(statement_s: int, lock_s: int) -> tuple[str, str]:
    """What a new connection is told first: how long one statement may take, and how long it may wait for a lock.
    Without them a server that is alive and stuck is waited for for ever."""
    return f"SET statement_timeout = '{statement_s}s'", f"SET lock_timeout = '{lock_s}s'"


def role_name(database: str, role: str) -> str:
    """Roles belong to a whole server: the database's name keeps two installations apart."""
    return f"{database}_{role}"


def role_password(keys: PurposeKeys, role: str) -> str:
    """`keys` with the purpose `database`."""
    return keys.raw("database", b"role/" + role.encode()).hex()


def role_url(url: str, role: str, keys: PurposeKeys) -> str:
    """The owner's URL with the name and password of `role` in it, and the owner's nowhere. Raises ConfigError."""
    parts = urlsplit(url)
    # libpq takes a login from the query too, and lets it win
    query = urlencode([one for one in parse_qsl(parts.query) if one[0] not in _LOGIN])
    host = parts.netloc.rpartition("@")[2]
    login = f"{quote(role_name(database_name(url), role), safe='')}:{role_password(keys, role)}"
    return urlunsplit(parts._replace(netloc=f"{login}@{host}", query=query))


def database_name(url: str) -> str:
    """Raises ConfigError for a URL that is none of PostgreSQL's or names no database."""
    parts = urlsplit(url)
    name = unquote(parts.path.strip("/"))
    if parts.scheme not in ("postgres", "postgresql") or not name:
        raise ConfigError("CAREPOST_DATABASE_URL must look like postgresql://user:password@host:5432/database.")
    return name
