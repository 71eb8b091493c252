"""Whose mail a provider's server hands over. What a peer shows (address, certificate) is provisional: many tenants
share it. At the end of DATA the header's secret, the sender's domains and what the provider says of the tenant decide:
never the shared part alone, and never anything for a domain that is another's (EchoSpoofing)."""

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from carepost.directory.gateways import LOOP_FIELD, PROVIDER_NAMES, SECRET_FIELD, Gateway, loop_mark, network
from carepost.directory.types import Credential, OrgSnapshot
from carepost.ground import log, metrics
from carepost.ground.errors import NotFound, Refused
from carepost.ground.keys import PurposeKeys
from carepost.reception import forwards
from carepost.reception.credentials import Identity
from carepost.rfc import message
from carepost.rfc.envelope import Envelope
from carepost.rfc.message import Message

_SECRET, _LOOP = SECRET_FIELD.lower().encode(), LOOP_FIELD.lower().encode()
_OURS: Final = frozenset({_SECRET, _LOOP})
_ORIGINATOR: Final = "x-originatororg"
#: octets of a field's value that is compared
_LONGEST: Final = 256

#: cause -> what to mend, for the other system's administrator
_WORDS: Final = {
    "gateway-secret": (
        f"The message carries no valid {SECRET_FIELD} field of its sender's organisation. Set the field in your mail "
        "system's outbound rule, with the value from Carepost's Gateway page."
    ),
    "gateway-secret-twice": (
        f"The message carries the field {SECRET_FIELD} more than once. Let one rule set it, and no user."
    ),
    "gateway-sender": (
        "The From or MAIL FROM address is not in a sender domain of the connection this message came by. Add the "
        "domain in Carepost, or send from another address."
    ),
    "gateway-forward": (
        "A mailbox forwards this message of somebody outside, and forwarding is not allowed for this connection. Allow "
        "it on Carepost's Gateway page, or take the forwarding out of the mailbox."
    ),
    "gateway-originator": (
        "X-OriginatorOrg names another tenant than this connection's. Correct the tenant's domain on Carepost's "
        "Gateway page."
    ),
    "gateway-peer": (
        "This server is not known for the sender's organisation: neither its certificate nor its address is on "
        "Carepost's Gateway page."
    ),
    "gateway-loop": "This message has been through Carepost and came back: exclude it in your mail system's rule.",
}


class GatewayRefused(Refused):
    """`org`: whose sender it claimed to be, b"" where that is nobody; `gateway`: id of the connection, or "";
    `sender`: the address in question."""

    def __init__(self, cause: str, org: bytes = b"", gateway: str = "", sender: str = "") -> None:
        loop = cause == "gateway-loop"
        super().__init__(cause, _WORDS[cause], enhanced="5.4.6" if loop else "5.7.1", status=422)
        self.org, self.gateway, self.sender = org, gateway, sender


class Chain(Protocol):
    """`delivery.trust.Chain`, as far as it counts here."""

    @property
    def fault(self) -> str: ...

    @property
    def names(self) -> frozenset[str]: ...

    @property
    def key(self) -> str: ...


#: `delivery.trust.Anchors.judge`, and `delivery.trust.matches`
Judge = Callable[[Sequence[bytes]], Chain]
Matches = Callable[[str, frozenset[str]], bool]


class Peer(msgspec.Struct, frozen=True):
    """What a session shows of itself. `names`: of a certificate a trust anchor vouches for; `key`: SHA-256 of the
    public key it proved to hold, whoever vouches; "" for one that all tenants of a provider share."""

    address: str = ""
    names: frozenset[str] = frozenset()
    key: str = ""


class Lookup(Protocol):
    """`directory.Directory`; each raises Unavailable."""

    def snapshot(self, org: bytes) -> OrgSnapshot: ...

    def domain_owner(self, domain: str) -> bytes | None: ...

    def gateways(self) -> tuple[Gateway, ...]: ...


class Settled(msgspec.Struct, frozen=True):
    """`body`: without our fields. `forwarder`: the tenant's mailbox that forwarded a stranger's message, or ""."""

    identity: Identity
    body: bytes
    forwarder: str = ""


class Gateways:
    """One a process. `purposes` with `index`."""

    def __init__(self, directory: Lookup, judge: Judge, purposes: PurposeKeys) -> None:
        self._directory = directory
        self._judge = judge
        self._purposes = purposes

    def peer(self, address: str, chain: Sequence[bytes]) -> Peer:
        """`chain`: DER of the certificates shown, leaf first."""
        if not chain:
            return Peer(address)
        judged = self._judge(chain)
        # what a provider shows for all of its tenants is nobody's own, also where somebody entered its key as theirs
        shared = any(_fits(one, judged.names) for one in PROVIDER_NAMES)
        return Peer(address, judged.names if not judged.fault else frozenset(), "" if shared else judged.key)

    def known(self, peer: Peer) -> bool:
        """Whether some connection could be this peer's: what may begin a transaction. Raises Unavailable."""
        return any(_own(one, peer) or _shared(one, peer) for one in self._directory.gateways())

    def may_begin(self, peer: Peer, domain: str) -> bool:
        """Whether the owner of this sender domain has a connection that could be this peer's. Raises Unavailable."""
        owner = self._directory.domain_owner(domain)
        return owner is not None and any(
            one.sends_as(domain) and (_own(one, peer) or _shared(one, peer)) for one in self._of(owner)
        )

    def may_forward(self, peer: Peer) -> bool:
        """Whether some connection that could be this peer's forwards mail of strangers. Raises Unavailable."""
        known = self._directory.gateways()
        return any(one.settings.forwards and (_own(one, peer) or _shared(one, peer)) for one in known)

    def settle(self, peer: Peer, envelope: Envelope, body: bytes) -> Settled:
        """Who hands this message over, and the message without our fields. Raises GatewayRefused, MessageError,
        Unavailable."""
        read = message.read(body)
        senders = [one.address for one in read.from_] + ([envelope.sender] if envelope.sender else [])
        forwarder = self._forwarder(read, envelope)
        org = self._owner([forwarder] if forwarder else senders)
        found = self._connection(org, peer, read, forwarder or senders[0])
        _check(found, read, senders, self._directory.snapshot(org), forwarder)
        left = self._without(found, read, org)
        metrics.count("gateway_settled")
        snapshot = self._directory.snapshot(org)
        credential = Credential(found.id, org, "", "", _domains(found, snapshot), gateway=found.id)
        return Settled(Identity(credential, snapshot.epoch), left, forwarder)

    def of_credential(self, identity: Identity, envelope: Envelope, body: bytes) -> Settled:
        """The message of a session that signed in with a connection's credential, without our fields. Raises
        GatewayRefused, MessageError, Unavailable."""
        found = next((one for one in self._of(identity.org) if one.id == identity.credential.gateway), None)
        if found is None:
            return Settled(identity, body)
        read = message.read(body)
        senders = [one.address for one in read.from_]
        forwarder = self._forwarder(read, envelope)
        _check(found, read, senders, self._directory.snapshot(identity.org), forwarder)
        return Settled(identity, self._without(found, read, identity.org), forwarder)

    def _forwarder(self, read: Message, envelope: Envelope) -> str:
        """Where nobody here owns any domain of From: the mailbox that a forwarding mark names, or "". Mail in the name
        of another organisation here is never taken for forwarded (EchoSpoofing)."""
        if any(self._directory.domain_owner(one.address.rpartition("@")[2]) is not None for one in read.from_):
            return ""
        return forwards.forwarder(read, envelope, lambda domain: self._directory.domain_owner(domain) is not None)

    def _owner(self, senders: Sequence[str]) -> bytes:
        """The one organisation all of these addresses belong to."""
        owners = {self._directory.domain_owner(one.rpartition("@")[2]) for one in senders}
        known = next((one for one in owners if one is not None), b"")
        if len(owners) != 1 or not known:
            # put on record with the one whose name was used
            raise GatewayRefused("gateway-sender", known, sender=senders[0])
        return known

    def _connection(self, org: bytes, peer: Peer, read: Message, sender: str) -> Gateway:
        mine = self._of(org)
        proved = [one for one in mine if _own(one, peer)]
        if proved:
            domain = sender.rpartition("@")[2]
            return next((one for one in proved if one.sends_as(domain)), proved[0])
        candidates = [one for one in mine if _shared(one, peer)]
        if not candidates:
            raise GatewayRefused("gateway-peer", org, sender=sender)
        values = read.all(SECRET_FIELD)
        if len(values) > 1:
            raise GatewayRefused("gateway-secret-twice", org, candidates[0].id, sender)
        digest = hashlib.sha256((values[0] if values else "")[:_LONGEST].encode("utf-8", "replace")).digest()
        # every secret is compared, in the same time whichever it is
        fitting = [one for one in candidates if sum([hmac.compare_digest(digest, known) for known in one.secrets])]
        if not values or not fitting:
            log.event("gateway-unproved", gateway=candidates[0].id)
            raise GatewayRefused("gateway-secret", org, candidates[0].id, sender)
        return fitting[0]

    def _without(self, gateway: Gateway, read: Message, org: bytes) -> bytes:
        mark = loop_mark(self._purposes, gateway.id)
        if any(hmac.compare_digest(one.encode(), mark.encode()) for one in read.all(LOOP_FIELD)):
            raise GatewayRefused("gateway-loop", org, gateway.id, read.from_[0].address)
        # a mark that is not ours says nothing: whoever wrote it must not decide anything by it
        return message.rewrite(read.raw, read, _OURS)

    def _of(self, org: bytes) -> tuple[Gateway, ...]:
        try:
            return self._directory.snapshot(org).gateways
        except NotFound:
            return ()


def _own(gateway: Gateway, peer: Peer) -> bool:
    return bool(peer.key) and peer.key in gateway.settings.keys


def _shared(gateway: Gateway, peer: Peer) -> bool:
    """Any one of a name and an address: alone it proves no tenant, so either is enough to ask for the secret."""
    if peer.names and any(_fits(one, peer.names) for one in gateway.settings.shared_names):
        return True
    if not gateway.settings.shared_networks or not peer.address:
        return False
    try:
        address = ipaddress.ip_address(peer.address)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in network(one) for one in gateway.settings.shared_networks)


def _fits(pattern: str, names: frozenset[str]) -> bool:
    """A name of the certificate is this one, or one label under `*.`; the certificate's own wildcard is taken as it
    stands."""
    if pattern in names:
        return True
    rest = pattern.removeprefix("*")
    if rest == pattern:
        return f"*.{pattern.partition('.')[2]}" in names
    firsts = (name[: -len(rest)] for name in names if name.endswith(rest))
    return any(first not in ("", "*") and "." not in first for first in firsts)


def _domains(gateway: Gateway, snapshot: OrgSnapshot) -> tuple[str, ...]:
    return gateway.settings.domains or tuple(one.domain for one in snapshot.domains)


def _check(gateway: Gateway, read: Message, senders: Sequence[str], snapshot: OrgSnapshot, forwarder: str = "") -> None:
    """Raises GatewayRefused."""
    allowed = _domains(gateway, snapshot)
    if forwarder and forwarder.rpartition("@")[2] in allowed:
        if not gateway.settings.forwards:
            raise GatewayRefused("gateway-forward", gateway.org, gateway.id, forwarder)
        senders = (forwarder,)
    foreign = next((one for one in senders if one.rpartition("@")[2] not in allowed), "")
    if foreign:
        raise GatewayRefused("gateway-sender", gateway.org, gateway.id, foreign)
    said = read.all(_ORIGINATOR)
    expected = (gateway.settings.originator,) if gateway.settings.originator else allowed
    if said and (len(said) > 1 or said[0].lower().rstrip(".") not in expected):
        raise GatewayRefused("gateway-originator", gateway.org, gateway.id, senders[0])
