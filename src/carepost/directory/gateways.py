"""Connections in front of another mail system (Microsoft 365, Google Workspace), as the engine knows them.

What a peer proves is one of three: a client certificate whose key belongs to this tenant alone; SMTP AUTH with a
credential bound to the connection; or what all tenants of a provider share (names of its certificate, its addresses)
together with this tenant's secret header. The shared part alone is nothing. The views `engine_gateway` and
`engine_gateway_secret` are part of the contract (`sql.VERSION`)."""

import functools
import ipaddress
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from carepost.crypto.digest import hmac_sha256
from carepost.directory import columns
from carepost.ground.keys import PurposeKeys

#: where the sealed column stands (`columns.seal`), before the id
PLACE: Final = "gateway_connection.sealed"
#: the field that carries a tenant's secret, and the one that says that we have had the message already
SECRET_FIELD: Final = "X-Carepost-Gateway"  # noqa: S105  the name of a field
LOOP_FIELD: Final = "X-Carepost-Returned"
#: names in the certificates that the servers of a provider show for all of its tenants
MICROSOFT_NAMES: Final = (
    "*.mail.protection.outlook.com", "mail.protection.outlook.com", "*.outbound.protection.outlook.com",
)  # fmt: skip
GOOGLE_NAMES: Final = ("smtp.gmail.com", "*.google.com", "mx.google.com")
PROVIDER_NAMES: Final = MICROSOFT_NAMES + GOOGLE_NAMES
#: `Settings.mode`: copies go to their recipients from here, or back through the tenant's own system
DIRECT: Final = "direct"
RETURN: Final = "return"
#: `Login.kind`
NONE, PASSWORD, OAUTH = "", "password", "oauth"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(msgspec.Struct, frozen=True):
    """Nothing personal, nothing secret: JSON in a column."""

    #: direct | return
    mode: str = DIRECT
    #: sender domains of this connection; empty: all of its organisation's
    domains: tuple[str, ...] = ()
    #: id of the SMTP credential that signs in as this connection; "": none does
    credential: str = ""
    #: SHA-256 (hex) of the public keys of client certificates that are this tenant's alone
    keys: tuple[str, ...] = ()
    #: what the provider's tenants share: DNS names in its certificate (as RFC 9525 matches), and its networks
    shared_names: tuple[str, ...] = ()
    shared_networks: tuple[str, ...] = ()
    #: what X-OriginatorOrg says where it is there; "": one of the sender domains
    originator: str = ""
    #: the tenant's own mail host: mail goes back there, and on to there what came in; "": none
    host: str = ""
    port: int = 25
    #: PEM of the CA that vouches for it, or "" for the system's
    ca: str = ""
    #: an administrator attests that the tenant's system sends on by verified TLS only
    vouched: bool = False
    #: mail from the world for the sender domains is taken here, opened, and delivered to `host`
    inbound: bool = False
    #: what was opened says so at its head
    banner: bool = True
    #: `host` is asked for each recipient of mail from the world before the message is taken
    callahead: bool = False
    #: mail of strangers that the tenant's people let their system forward is taken (`reception.forwards`)
    forwards: bool = False


class Login(msgspec.Struct, frozen=True):
    """Sealed: how we sign in at the tenant's host. `kind`: "" | password | oauth."""

    kind: str = NONE
    username: str = ""
    password: str = ""
    token_url: str = ""
    client_id: str = ""
    client_secret: str = ""
    #: "": the client's own credentials are the grant (RFC 6749 4.4), else this refresh token (6)
    refresh_token: str = ""
    scope: str = ""
    #: PEM of our client certificate with its chain, and of its key; "": none is shown
    certificate: str = ""
    key: str = ""

    def __repr__(self) -> str:
        return f"Login(kind={self.kind!r})"


class Gateway(msgspec.Struct, frozen=True):
    id: str
    org: bytes
    #: microsoft365 | google | other
    provider: str
    settings: Settings
    #: SHA-256 of the header's secrets that count now: two while they are changed
    secrets: tuple[bytes, ...] = ()
    #: `columns.seal` of a `Login` under the organisation's evidence key; b"": nothing to sign in with
    sealed: bytes = b""

    def sends_as(self, domain: str) -> bool:
        """Whether a sender domain of its organisation is this connection's."""
        return not self.settings.domains or domain in self.settings.domains


_settings = msgspec.json.Decoder(Settings)
_login = msgspec.msgpack.Decoder(Login)
_encode = msgspec.msgpack.Encoder().encode


def read_all(
    org: bytes, rows: Sequence[tuple[Any, ...]], secrets: Sequence[tuple[Any, ...]], text: Callable[[object], str]
) -> tuple[Gateway, ...]:
    """The rows of both views. `text`: an id column as text. Raises msgspec.DecodeError."""
    known: dict[str, tuple[bytes, ...]] = {}
    for gateway, digest in secrets:
        known[text(gateway)] = (*known.get(text(gateway), ()), bytes(digest))
    found = [
        Gateway(text(id_), org, provider, _settings.decode(settings), known.get(text(id_), ()), bytes(sealed or b""))
        for id_, provider, settings, sealed in rows
    ]
    return tuple(sorted(found, key=lambda one: one.id))


def encode_settings(settings: Settings) -> str:
    return msgspec.json.encode(settings).decode()


def decode_settings(text: str) -> Settings:
    return _settings.decode(text)


def encode_login(login: Login) -> bytes:
    return _encode(login)


def open_login(key: bytes, gateway: Gateway) -> Login:
    """`key`: of the version `columns.key_version(gateway.sealed)` names. Raises crypto.rest.Damaged."""
    if not gateway.sealed:
        return Login()
    return _login.decode(columns.open_(key, gateway.org, gateway.sealed, f"{PLACE}/{gateway.id}"))


def decode_login(raw: bytes) -> Login:
    return _login.decode(raw)


def loop_mark(purposes: PurposeKeys, gateway: str) -> str:
    """What `LOOP_FIELD` says of a message that this connection has had. `purposes` with `index`."""
    return hmac_sha256(purposes.raw("index", b"gateway-loop"), gateway.encode()).hex()[:32]


@functools.lru_cache(4096)
def network(text: str) -> Network:
    """Raises ValueError."""
    return ipaddress.ip_network(text, strict=False)
