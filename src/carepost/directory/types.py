"""What the engine knows of an organisation, as one immutable value per epoch."""

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import msgspec

from carepost.directory.gateways import Gateway
from carepost.directory.sending import Sending
from carepost.directory.words import OwnWords
from carepost.policy.types import Assurance, Method, Rule


class DkimKey(msgspec.Struct, frozen=True):
    selector: str
    #: "rsa-sha256" | "ed25519-sha256"
    algorithm: str
    #: PKCS#8 DER wrapped by the purpose key `dkim`, aad = b"dkim|" + org + b"|" + domain + b"|" + selector
    wrapped: bytes


class SenderDomain(msgspec.Struct, frozen=True):
    domain: str
    dkim: tuple[DkimKey, ...] = ()
    #: rules of the domain's unit; "" when the domain belongs to the organisation itself
    unit: str = ""
    #: what notices of this domain are signed with, and the phone number there: inherited from unit and organisation;
    #: "" only in snapshots made by hand: then the organisation's counts
    notice_name: str = ""
    phone: str = ""


class Credential(msgspec.Struct, frozen=True):
    """An SMTP credential: a SCRAM-SHA-256 verifier (RFC 5803 form), never a password."""

    id: str
    org: bytes
    username: str
    #: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
    verifier: str
    #: sender domains this credential may use; empty means all of the organisation's
    domains: tuple[str, ...] = ()
    #: id of the connection whose mail system signs in with it (`directory.gateways`); "" for every other
    gateway: str = ""


class ApiKey(msgspec.Struct, frozen=True):
    id: str
    org: bytes
    #: SHA-256 of the secret (the secret has 256 random bits)
    secret_hash: bytes
    scopes: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True):
    """A pinned next hop (DESIGN 6, `route add`): AUTHENTICATED when the name matches under its CA."""

    domain: str
    host: str
    port: int
    #: PEM of the CA, or "" for the system's trust store
    ca: str = ""
    #: SHA-256 of the keys the server's certificate may hold (SubjectPublicKeyInfo, hex); empty: any. With keys and no
    #: CA the key alone counts, as in DANE-EE (RFC 7672 3.1.1): names and dates do not
    pins: tuple[str, ...] = ()
    #: "": where the pin is not met, the plan's next method; HOLD: nothing but this host
    otherwise: str = ""

    @property
    def mark(self) -> str:
        """Names what the host must prove: two pins that ask the same have the same."""
        asked = "\n".join((self.host.rstrip(".").lower(), str(self.port), self.ca, *sorted(self.pins)))
        return hashlib.sha256(asked.encode()).hexdigest()[:16]


class RecipientKey(msgspec.Struct, frozen=True):
    """A certificate known for one recipient, as `keyring` keeps it; itself it is fetched where it is used
    (`directory.recipients`)."""

    id: str
    method: Method
    #: an administrator vouches for it
    pinned: bool
    #: another one than the pinned: never used, and what needs it is held
    changed: bool
    #: UTC microseconds; 0: never
    not_after: int


class KeptKey(msgspec.Struct, frozen=True):
    """What stands sealed in a row of `keyring`. `raw`: DER of a certificate, or an OpenPGP certificate, binary.
    `capabilities`: what an S/MIME recipient said that he reads."""

    address: str
    raw: bytes
    fingerprint: str
    chain: tuple[bytes, ...] = ()
    capabilities: tuple[str, ...] = ()
    #: where it came from vouches for it (DANE-EE under DNSSEC, its owner's proof): no issuer is asked for
    vouched: bool = False


class OwnKey(msgspec.Struct, frozen=True):
    """A key of the organisation or of one of its addresses, without the key: that is asked for when it is first used
    (`directory.ownkeys`)."""

    id: str
    method: Method
    signs: bool
    decrypts: bool
    #: signs also what leaves unencrypted
    always: bool
    #: rotated away: it decrypts, until `until`, and signs nothing
    retired: bool
    #: UTC microseconds; 0: no end
    until: int
    #: of its certificate, UTC microseconds; 0: never
    not_after: int
    #: how the private part is wrapped begins so: which master key it needs (`ground.keys.version_of`)
    head: bytes = b""


class OwnKept(msgspec.Struct, frozen=True):
    """The public part, as it stands sealed in a row of `keyring`. `raw`: DER of a certificate, or an OpenPGP
    certificate, binary; empty while it waits for its certificate. `request`: PKCS#10, PEM, or empty."""

    address: str
    name: str
    raw: bytes
    fingerprint: str
    chain: tuple[bytes, ...] = ()
    request: bytes = b""
    #: revoked: an OpenPGP certificate that says so, to be published
    revocation: bytes = b""


#: where an own key's sealed column stands (`columns.seal`)
OWN_KEY_PLACE = "keyring_ownkey.sealed"


def own_key_aad(org: bytes, key: bytes) -> bytes:
    """What binds a private key, wrapped by the purpose `mail`, to its place. `key`: its id, 16 bytes."""
    return b"mail|" + org + b"|" + key


#: where a recipient key's sealed column stands (`columns.seal`)
KEY_PLACE = "keyring_recipientkey.sealed"

#: `Route.otherwise`: "always TLS to this host, else hold"
HOLD = "hold"
PINNED_RULE = "pinned-next-hop"


def pinned_rule(route: Route) -> Rule:
    """What a route with HOLD asks of the decision: no method but TLS, and what the pin proves."""
    return Rule(PINNED_RULE, recipient_domain=route.domain, floor=Assurance.AUTHENTICATED, methods=(Method.TLS,))


class Tracking(msgspec.Struct, frozen=True):
    """What is learnt of copies of one category, each: off · asked (only where the message asks) · on (unless it says
    no)."""

    opens: str = "off"
    clicks: str = "off"


#: days a message may be scheduled ahead where an organisation decided nothing, and at most
AHEAD_DAYS, MOST_AHEAD = 31, 366


class OrgSnapshot(msgspec.Struct, frozen=True):
    id: bytes
    name: str
    epoch: int
    policy_version: str
    #: the neutral name notices are signed with, and the phone number printed there
    notice_name: str
    phone: str
    #: address of the organisation's auditor, or ""
    auditor: str
    #: where the portal lives, e.g. "https://portal.clinic.example"
    portal_url: str
    #: local part and domain replies from the portal come from, e.g. "portal@clinic.test"
    portal_address: str
    floor: Assurance
    #: seconds of 4xx, time-outs and refusals before the plan's next method (DESIGN 3; default 4 h)
    patience: int
    rules: tuple[Rule, ...]
    domains: tuple[SenderDomain, ...]
    routes: tuple[Route, ...]
    #: purpose -> (version, wrapped 32-byte key); aad = b"org|" + org + b"|" + purpose + b"|" + version (decimal)
    keys: dict[str, tuple[int, bytes]]
    #: HMAC tokens (crypto.index) of suppressed addresses: `directory.suppressed.Suppressed`, which knows scopes and
    #: ends; a plain set covers everything
    suppressed: AbstractSet[bytes] = frozenset()
    #: (purpose, version) -> wrapped key: still opens what it sealed, seals nothing new
    retired_keys: dict[tuple[str, int], bytes] = {}
    #: token of an address (as in `suppressed`) -> what may be encrypted to there
    recipient_keys: Mapping[bytes, tuple[RecipientKey, ...]] = {}
    #: token of an address -> its own keys, newest first; b"": those of the organisation
    own_keys: dict[bytes, tuple[OwnKey, ...]] = {}
    #: the short name commands know it by
    slug: str = ""
    #: address that is told what an administrator must know, or ""
    alerts: str = ""
    #: what the organisation tells detection; None: nothing
    own_words: OwnWords | None = None
    #: connections in front of mail systems of its own
    gateways: tuple[Gateway, ...] = ()
    #: where recipients' keys may be looked for (`wire.found.SOURCES`), in the order of trust
    key_sources: tuple[str, ...] = ()
    #: DER of the authorities whose certificates of recipients are believed
    anchors: tuple[bytes, ...] = ()
    #: certificates are used of which nobody could say whether they were revoked
    revocation_unknown_ok: bool = False
    #: the domain that bounces of mail by the API and of notices come back to; "": none
    return_path: str = ""
    #: bounces of mail by SMTP come back there too; its senders are told of them
    return_path_smtp: bool = False
    #: by category, where anything is on; empty: nobody's copies are marked
    tracking: Mapping[str, Tracking] = {}
    #: sender domain -> the host that its tracked links lead to; without one, the portal's
    tracking_hosts: Mapping[str, str] = {}
    #: source addresses, pools, limits of its own, what providers asked for; None: nothing of it
    sending: Sending | None = None
    #: versions of the index key under which tokens of addresses may stand, newest first
    token_versions: tuple[int, ...] = (1,)
    #: how the private keys of its own authorities are wrapped begins so (`OwnKey.head`)
    authority_heads: tuple[bytes, ...] = ()
    #: days a message may be scheduled ahead
    ahead: int = AHEAD_DAYS

    def key(self, purpose: str, version: int) -> bytes | None:
        """The wrapped key of one version, current or retired."""
        current = self.keys.get(purpose)
        if current is not None and current[0] == version:
            return current[1]
        return self.retired_keys.get((purpose, version))

    def domain(self, name: str) -> SenderDomain | None:
        for one in self.domains:
            if one.domain == name:
                return one
        return None

    def route(self, name: str) -> Route | None:
        for one in self.routes:
            if one.domain == name:
                return one
        return None
