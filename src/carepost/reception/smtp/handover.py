"""From a session's Accept to the Submission that enters by the one door."""

import hashlib

import msgspec

from carepost.ground.errors import Refused
from carepost.policy.types import Assurance
from carepost.reception.access import AccessProofs
from carepost.reception.credentials import Identity
from carepost.reception.smtp import triggers
from carepost.reception.smtp.effects import Accept
from carepost.rfc.envelope import Envelope
from carepost.wire.types import AccessProof, Actor, Origin, Protection, Submission

#: who speaks at the MX: nobody we know
_WORLD = Actor("system", "mx")


async def submission(accept: Accept, client: str, access: AccessProofs) -> Submission:
    """Raises Refused for a trigger that cannot be honoured, Unavailable where its hash cannot be made now."""
    if accept.identity is None:
        return Submission(
            accept.org, accept.envelope, accept.body, Origin.MX, _WORLD, client=client, via=accept.via, helo=accept.helo
        )
    if not triggers.present(accept.body):
        return _of_ours(accept, accept.identity, client, accept.body, Protection())
    asked, body = triggers.take(accept.body)
    proof = AccessProof()
    if asked.access:
        proof = await access.proof(accept.org, asked.code, asked.question, asked.answer)
    return _of_ours(accept, accept.identity, client, body, Protection(asked.minimum, (), proof))


def at_once(accept: Accept, client: str) -> Submission | None:
    """`submission` of what somebody who signed in submits and asks nothing of us; None: ask `submission`."""
    identity = accept.identity
    if identity is None or accept.peer is not None or identity.credential.gateway or triggers.present(accept.body):
        return None
    return _of_ours(accept, identity, client, accept.body, Protection())


def _of_ours(accept: Accept, identity: Identity, client: str, body: bytes, protection: Protection) -> Submission:
    if accept.requiretls:
        # a look-up nobody forged and a certificate that was checked (RFC 8689 4.2.1) is our AUTHENTICATED
        least = max(protection.minimum or Assurance.NONE, Assurance.AUTHENTICATED)
        protection = msgspec.structs.replace(protection, minimum=least)
    credential = identity.credential
    envelope = accept.envelope
    if accept.forwarder:
        # reports go to the mailbox that let it go; the first sender was told by the tenant's system, and wrote to it
        envelope = msgspec.structs.replace(envelope, sender=accept.forwarder)
    return Submission(
        accept.org,
        envelope,
        body,
        Origin.SMTP,
        Actor("credential" if credential.username else "gateway", credential.id),
        key=envid_key(accept.envelope),
        protection=protection,
        client=client,
        via=accept.via,
        domains=credential.domains,
        gateway=credential.gateway,
        payload_hash=hashlib.sha256(accept.body).digest() if body is not accept.body else b"",
        requiretls=accept.requiretls,
        forwarder=accept.forwarder,
    )


def withdrawn() -> Refused:
    return Refused("credential-withdrawn", "This credential was withdrawn.", enhanced="5.7.8", status=401)


def envid_key(envelope: Envelope) -> str | None:
    """The idempotency key of an ENVID: the sender's id of the message, for these recipients.

    A client may split one message into several transactions that share the ENVID (RFC 3461 5.2.3), so the recipients
    are part of the key: the same part sent again is known, another part is not taken for it."""
    if not envelope.envid:
        return None
    recipients = "\n".join(sorted(r.address for r in envelope.recipients))
    part = hashlib.sha256(f"{envelope.sender}\n{recipients}".encode()).hexdigest()[:32]
    return f"envid:{envelope.envid}:{part}"
