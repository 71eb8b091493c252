"""The gate at the wire (law 4): what a connection achieved for this recipient, and whether that is enough. Pure.

The same connection is worth different things to different recipients: each is measured against its own MX set, MTA-STS
policy and TLSA set. Whatever is not certain counts as not achieved.
"""

from typing import Final

import msgspec

from carepost.delivery import dane, trust
from carepost.delivery.hops import Hop, Hops
from carepost.delivery.tls import Handshake
from carepost.policy.types import Assurance


class Assessed(msgspec.Struct, frozen=True):
    """`basis`: pinned, dane, mta-sts, signed-mx, own-domain, unsigned-mx, or "" below VERIFIED. `fault`: why it is
    not more, "" when nothing is amiss. `barred`: a promise of the recipient's side, or of the administrator who pinned
    the route, was broken: nothing is sent over this connection whatever the floor."""

    achieved: Assurance
    basis: str = ""
    fault: str = ""
    barred: bool = False


def assess(handshake: Handshake | None, hop: Hop, hops: Hops, weakened: str = "", *, offered: bool = False) -> Assessed:
    """What `handshake` (None: no TLS) with `hop` is worth to a recipient whose next hops are `hops`.

    `weakened`: why unsigned DNS is not believed for now (tls-lost, mx-moved), or "". `offered`: STARTTLS was."""
    policy = hops.sts.enforced
    if handshake is None:
        promised = hops.pinned or policy is not None or hop.tlsa.state is not dane.State.NONE
        return Assessed(Assurance.NONE, fault="starttls-refused" if offered else "no-tls", barred=promised)
    chain = handshake.chain
    fault = chain.fault or ("" if trust.matches(hop.host, chain.names) else "wrong-name")
    if hops.pinned:
        fault = _pinned(handshake, hops, fault)
        if fault:
            return Assessed(Assurance.ENCRYPTED, fault=fault, barred=True)
        # what a tenant's system does with what we hand back is its people's word, and worth what they attest
        return Assessed(Assurance.VERIFIED, "vouched") if hops.vouched else Assessed(Assurance.AUTHENTICATED, "pinned")
    if policy is not None and not policy.allows(hop.host):
        return Assessed(Assurance.ENCRYPTED, fault="mta-sts-mx", barred=True)
    if hop.tlsa.state is dane.State.USABLE:
        # RFC 8461 2: MTA-STS never makes up for a DANE failure; DANE needs no certificate authority.
        if dane.match(hop.tlsa, chain.der, (hop.host, *hops.names)) is None:
            return Assessed(Assurance.ENCRYPTED, fault="dane-mismatch", barred=True)
        return Assessed(Assurance.AUTHENTICATED, "dane")
    if policy is not None and fault:
        return Assessed(Assurance.ENCRYPTED, fault=fault, barred=True)
    if hop.tlsa.state is dane.State.FAILED:
        return Assessed(Assurance.ENCRYPTED, fault="tlsa-failure", barred=True)
    if hop.tlsa.state is dane.State.UNUSABLE:
        # RFC 7672 2.2: TLS is mandatory, the peer unknown (BI-034).
        return Assessed(Assurance.ENCRYPTED, fault="dane-unusable")
    if policy is not None:
        return Assessed(Assurance.AUTHENTICATED, "mta-sts")
    return _by_name(handshake, hops, fault, weakened)


def _pinned(handshake: Handshake, hops: Hops, fault: str) -> str:
    """What is amiss with a pinned host. A pinned key without a CA stands for itself, as in DANE-EE (RFC 7672 3.1.1)."""
    if not hops.pins:
        return fault
    if fault and hops.anchors is not None:
        return fault
    return "" if handshake.chain.key in hops.pins else "pin-mismatch"


def _by_name(handshake: Handshake, hops: Hops, fault: str, weakened: str) -> Assessed:
    """No promise holds: the certificate's name is all there is."""
    chain = handshake.chain
    if not chain.fault and trust.matches(hops.domain, chain.names):
        return Assessed(Assurance.AUTHENTICATED, "own-domain")
    if fault:
        return Assessed(Assurance.ENCRYPTED, fault=fault)
    if hops.secure:
        return Assessed(Assurance.AUTHENTICATED, "signed-mx")
    if weakened:
        return Assessed(Assurance.ENCRYPTED, fault=weakened)
    return Assessed(Assurance.VERIFIED, "unsigned-mx")


#: bases on which a host was found by a look-up that nobody could forge, or named by an administrator (RFC 8689 4.2.1);
#: a certificate that names the recipient's domain proves the host, but its MX was found without
SECURE: Final = frozenset({"dane", "mta-sts", "signed-mx", "pinned"})


def requirable(assessed: Assessed, *, offered: bool) -> bool:
    """Whether a message that needs REQUIRETLS may go there; `offered`: the host says it does the same."""
    return offered and assessed.basis in SECURE


def met(assessed: Assessed, floor: int, *, tls_once: bool = False, as_is: bool = False) -> bool:
    """`tls_once`: this destination was seen with TLS before, and then gets nothing in clear any more (DESIGN 3).
    `as_is`: what is sent is the report of the very promise that is broken."""
    if (assessed.barred and not as_is) or assessed.achieved < floor:
        return False
    return not (tls_once and assessed.achieved is Assurance.NONE)
