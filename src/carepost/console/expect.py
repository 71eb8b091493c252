"""What would happen to a message to a domain now: asked of the engine, by the same decision as a real one."""

import uuid

import msgspec

from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.mailbox import door
from carepost.rfc import compose
from carepost.rfc.address import Mailbox
from carepost.rfc.envelope import Envelope, Recipient
from carepost.tenancy import select
from carepost.wire.types import Actor, Origin, Submission


class Expected(msgspec.Struct, frozen=True):
    """`tone`: good | wait | bad | plain."""

    word: str
    tone: str
    text: str
    rule: str = ""


_STATES = {
    ("queued", "tls"): ("Ordinary mail over TLS", "good"),
    ("queued", "portal"): ("Secure portal", "good"),
    ("queued", "smime"): ("S/MIME", "good"),
    ("queued", "openpgp"): ("OpenPGP", "good"),
}


def now(org: uuid.UUID, domain: str, actor: Actor) -> Expected:
    """For an ordinary message to somebody there whom no rule names. Nothing is sent."""
    senders = select.domains(org)
    if not senders:
        return Expected("Not known", "plain", "There is no sender domain yet, so nothing can be sent to anybody.")
    sender, recipient = f"postmaster@{senders[0].domain}", f"postmaster@{domain}"
    body = compose.build(
        from_=Mailbox("", sender),
        to=[Mailbox("", recipient)],
        # nothing is written yet: where a rule asks what stands there, the answer says that it is not known
        subject="",
        text="",
        at=clock.now(),
        message_id=f"<{ids.text(ids.new())}@{senders[0].domain}>",
    )
    asked = Submission(org.bytes, Envelope(sender, (Recipient(recipient),)), body, Origin.API, actor)
    try:
        (answer,) = door.client().preview(asked)
    except Unavailable:
        return Expected("Not known just now", "plain", "No engine answers at the moment; ask again later.")
    except (Refused, NotFound) as error:
        return Expected("Refused", "bad", error.public)
    if answer.state == "queued":
        word, tone = _STATES.get(("queued", answer.method), ("Sent", "good"))
    else:
        word, tone = ("Held", "wait") if answer.state == "held" else ("Refused", "bad")
    return Expected(word, tone, answer.words, answer.rule)
