"""What people type into a connection, checked and put into the one form that is stored."""

import ipaddress
import re
import uuid
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from carepost.directory.gateways import DIRECT, NONE, OAUTH, PASSWORD, RETURN, Login, Settings
from carepost.tenancy import names
from carepost.tenancy.models import Credential, SenderDomain
from carepost.tenancy.names import Wrong

#: names and networks of one connection
MOST: Final = 64
_KEYS: Final = 8
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PATTERN: Final = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?")


def settings(org: uuid.UUID, given: Settings) -> Settings:
    """Raises Wrong with what to correct."""
    if given.mode not in (DIRECT, RETURN):
        raise Wrong("bad-mode", "Copies go out directly (direct) or back through your own system (return).")
    if not 0 < given.port < 65_536:
        raise Wrong("bad-port", "A port is 1 to 65535.")
    domains = tuple(dict.fromkeys(names.domain(one) for one in given.domains))
    ours = set(SenderDomain.objects.filter(org_id=org, removed_at=0).values_list("domain", flat=True))
    foreign = next((one for one in domains if one not in ours), "")
    if foreign:
        raise Wrong("not-our-domain", f"{foreign} is not a sender domain of this organisation; add it first.")
    host = names.host(given.host) if given.host else ""
    if not host and (given.mode == RETURN or given.inbound):
        raise Wrong("no-host", "Name your own mail host: mail goes back there, or on to there.")
    names.ca(given.ca)
    checked = msgspec.structs.replace(
        given, domains=domains, host=host, keys=_keys(given.keys), shared_names=_patterns(given.shared_names),
        shared_networks=_networks(given.shared_networks),
        originator=names.domain(given.originator) if given.originator else "",
        credential=_credential(org, given.credential),
    )  # fmt: skip
    if not (checked.keys or checked.shared_names or checked.shared_networks or checked.credential):
        raise Wrong(
            "no-proof", "Say how your system proves itself: a credential, a client certificate, or names and addresses."
        )
    return checked


def login(given: Login) -> Login:
    """Raises Wrong."""
    if given.kind not in (NONE, PASSWORD, OAUTH):
        raise Wrong("bad-login", "We sign in with a password, with OAuth, or not at all.")
    if given.kind and not given.username:
        raise Wrong("no-user", "Name the mailbox or account we sign in as.")
    if given.kind == PASSWORD and not given.password:
        raise Wrong("no-password", "The password is missing.")
    if given.kind == OAUTH:
        _oauth(given)
    for value in (given.username, given.password, given.client_id, given.client_secret, given.scope):
        if len(value) > 1000 or any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise Wrong("bad-login", "Names and secrets have at most 1000 characters, on one line.")
    if bool(given.certificate) != bool(given.key):
        raise Wrong("half-certificate", "A client certificate needs its key, and a key its certificate.")
    if given.certificate:
        _pair(given.certificate, given.key)
    return given


def _oauth(given: Login) -> None:
    parts = urlsplit(given.token_url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise Wrong("bad-token-url", "The token address begins with https:// and names a host.")
    names.host(parts.hostname)
    if not given.client_id or not (given.client_secret or given.refresh_token):
        raise Wrong("half-oauth", "OAuth needs a client id, and a client secret or a refresh token.")


def _pair(certificate: str, key: str) -> None:
    try:
        leaf = x509.load_pem_x509_certificates(certificate.encode())[0]
        private = load_pem_private_key(key.encode(), None)
    except (ValueError, TypeError, IndexError, UnsupportedAlgorithm):
        raise Wrong("bad-certificate", "Certificate and key are PEM files, the key without a password.") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise Wrong("other-key", "This key does not belong to this certificate.")


def _keys(given: Sequence[str]) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(one.strip().lower().replace(":", "") for one in given if one.strip()))
    if len(keys) > _KEYS or not all(_DIGEST.fullmatch(one) for one in keys):
        raise Wrong("bad-key", f"A key is 64 hexadecimal digits (SHA-256 of the public key); at most {_KEYS}.")
    return keys


def _patterns(given: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(one.strip().lower().rstrip(".") for one in given if one.strip()))
    # a wildcard over a whole top-level domain would be everybody's
    if len(found) > MOST or any(not _PATTERN.fullmatch(one) or one.removeprefix("*.").count(".") < 1 for one in found):
        raise Wrong("bad-name", f"A certificate's name is a host name, with *. before it or not; at most {MOST}.")
    return found


def _networks(given: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for one in given:
        if not one.strip():
            continue
        try:
            network = ipaddress.ip_network(one.strip(), strict=False)
        except ValueError:
            raise Wrong("bad-network", f"{one.strip()[:60]!r} is not an address or a network.") from None
        if network.prefixlen < (8 if network.version == 4 else 20):
            raise Wrong("bad-network", f"{network} is too wide to say anything about who comes from it.")
        found.append(str(network))
    if len(found) > MOST:
        raise Wrong("bad-network", f"At most {MOST} networks.")
    return tuple(dict.fromkeys(found))


def _credential(org: uuid.UUID, given: str) -> str:
    """By user name or id. Raises Wrong."""
    if not given:
        return ""
    rows = Credential.objects.filter(org_id=org, revoked_at=0)
    found = rows.filter(username=given).first()
    if found is None:
        try:
            found = rows.filter(pk=uuid.UUID(given)).first()
        except ValueError:
            found = None
    if found is None:
        raise Wrong("no-credential", "There is no such SMTP credential in this organisation.")
    return str(found.pk)
