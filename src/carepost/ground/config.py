"""The settings of one installation: one typed TOML file and CAREPOST_* variables. Unknown keys are refused.

Organisation policy lives in tables, never here. `CAREPOST_NAME_FILE` reads a value from a file (secrets).
"""

import ipaddress
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from carepost.ground.errors import ConfigError


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Times in seconds, sizes in bytes, ports TCP on `listen`."""

    #: address every listener binds
    listen: str = "127.0.0.1"
    #: the name this system says in EHLO and Received, and the common name of its own certificate
    hostname: str = "localhost"
    #: engine processes; 0: one a core, at most one a shard
    engines: int = 0
    port_api: int = 8080
    port_console: int = 8081
    port_portal: int = 8082
    port_submission: int = 2587
    port_submission_tls: int = 2465
    port_mx: int = 2525
    #: for mail systems in front of which we stand; they deliver to port 25 of a name of its own. 0: no such listener
    port_gateway: int = 0
    port_sandbox_dns: int = 5300
    #: the public base addresses of console and portal; "": what `address` says of their ports
    console_url: str = ""
    portal_url: str = ""
    #: PostgreSQL for the office, records and audit; "": SQLite in the home
    database_url: str = ""
    #: "host:port" at which other nodes on the same PostgreSQL reach this one (engine N listens at port + N). Set: the
    #: spool is kept in that database, and others take over what this node leaves; "": in the home, on this disk alone
    node_address: str = ""
    #: folder of <host name>.pem and .key files (SNI); "": CAREPOST_HOME/tls
    tls_folder: str = ""
    #: extra CA bundle trusted for outgoing TLS (besides the system's)
    outbound_ca: str = ""
    #: resolvers "address" or "address:port"; empty: those of /etc/resolv.conf
    resolvers: tuple[str, ...] = ()
    #: the resolvers validate DNSSEC and are reached over loopback: their AD bit is trusted
    resolvers_validate: bool = False
    #: port mail is delivered to (25 outside tests)
    smtp_port: int = 25
    max_message: int = 52_428_800
    max_recipients: int = 1000
    #: bodies in memory of one process
    max_bodies: int = 268_435_456
    #: below this the doors answer 451/503 (DESIGN 5)
    min_free: int = 1_073_741_824
    #: undelivered outbox rows of a shard; doors close at 80 %
    outbox_limit: int = 5_000_000
    #: daily reports about encrypted connections go to the domains that ask for them (RFC 8460)
    tls_reports: bool = True
    #: outgoing connections to one destination from one engine
    destination_connections: int = 20
    #: first wait after a temporary failure; later waits grow to `retry_longest` (RFC 5321 4.5.4.1)
    retry_first: float = 1800.0
    retry_longest: float = 10_800.0
    give_up: float = 345_600.0
    command_timeout: float = 300.0
    data_timeout: float = 600.0
    max_connections: int = 2000
    #: processes of one engine that look into messages; none starts before a rule of an organisation asks for one
    inspection_workers: int = 1
    #: seconds one message may take there
    inspection_seconds: float = 25.0
    #: hosts of the own network that webhooks may call: names, addresses, networks; all others must be public
    webhook_hosts: tuple[str, ...] = ()
    #: clamd's socket, or "address:port" on this machine; "": no virus scanner
    clamd: str = ""
    #: "address:port" where figures are served for Prometheus, and /health/ for orchestrators; "": nowhere
    metrics: str = ""
    #: address that is told when the installation itself needs somebody; "": the alert address of its only organisation
    alarms: str = ""

    @property
    def http_tls(self) -> bool:
        """API, console and portal speak plain HTTP on loopback only (a proxy, or development); anywhere else TLS."""
        try:
            return not ipaddress.ip_address(self.listen).is_loopback
        except ValueError:
            return self.listen != "localhost"

    @property
    def every_address(self) -> bool:
        return self.listen in ("0.0.0.0", "::")  # noqa: S104  compared, not listened on

    @property
    def host(self) -> str:
        """What its listeners are called where nothing else is set: a name its own certificate holds."""
        if self.every_address:
            return self.hostname
        return "localhost" if self.listen in ("127.0.0.1", "::1") else self.listen

    def address(self, port: int) -> str:
        """Where a face on this port answers when no public address is set."""
        scheme = "https" if self.http_tls else "http"
        return f"{scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{port}"


SETTINGS = tuple(field.name for field in msgspec.structs.fields(Config))


def load(home: Path, environ: Mapping[str, str]) -> Config:
    """The file `carepost.toml` in the home, then the environment over it. Raises ConfigError naming the setting."""
    values: dict[str, object] = {}
    file = home / "carepost.toml"
    if file.exists():
        try:
            values.update(tomllib.loads(file.read_text()))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file} is not TOML: {error}") from None
    values.update(_from_environment(environ))
    unknown = sorted(set(values) - set(SETTINGS))
    if unknown:
        raise ConfigError(f"Unknown setting {unknown[0]!r}; take it out of {file} or correct its name.")
    try:
        return msgspec.convert(values, Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"A setting in {file} or the environment is wrong: {error}") from None


_LISTS = {"resolvers", "webhook_hosts"}

#: read elsewhere, not settings of this page
_OTHERS = {"home", "keyring", "keys_fd", "test_postgres", "settings_check", "role", "ready_fd", "socket",
           "keyring_secret", "keyring_secret_file"}  # fmt: skip


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in environ.items():
        if not name.startswith("CAREPOST_"):
            continue
        key = name.removeprefix("CAREPOST_").lower()
        if key.endswith("_file") and key.removesuffix("_file") in SETTINGS:
            key = key.removesuffix("_file")
            try:
                value = Path(value).read_text().strip()
            except OSError as error:
                raise ConfigError(f"{name} names {value}, which cannot be read ({error.strerror}).") from None
        if key in _OTHERS:
            continue
        if key not in SETTINGS:
            raise ConfigError(f"Unknown setting {name}; unset it or correct its name.")
        values[key] = value.split(",") if key in _LISTS else value
    return values
