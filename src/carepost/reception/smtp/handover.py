"""From a session's Accept to the Submission that enters by the one door."""

import hashlib

import msgspec

from carepost.policy.types import Assurance
from carepost.reception.access import AccessProofs
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
    body, protection = accept.body, Protection()
    if triggers.present(body):
        asked, body = triggers.take(body)
        proof = AccessProof()
        if asked.access:
            proof = await access.proof(accept.org, asked.code, asked.question, asked.answer)
        protection = Protection(asked.minimum, (), proof)
    if accept.requiretls:
        # a look-up nobody forged and a certificate that was checked (RFC 8689 4.2.1) is our AUTHENTICATED
        least = max(protection.minimum or Assurance.NONE, Assurance.AUTHENTICATED)
        protection = msgspec.structs.replace(protection, minimum=least)
    credential = accept.identity.credential
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


def envid_key(envelope: Envelope) -> str | None:
    """The idempotency key of an ENVID: the sender's id of the message, for these recipients.

    A client may split one message into several transactions that share the ENVID (RFC 3461 5.2.3), so the recipients
    are part of the key: the same part sent again is known, another part is not taken for it."""
    if not envelope.envid:
        return None
    recipients = "\n".join(sorted(r.address for r in envelope.recipients))
    part = hashlib.sha256(f"{envelope.sender}\n{recipients}".encode()).hexdigest()[:32]
    return f"envid:{envelope.envid}:{part}"
