"""Previews: what each recipient of a message would get and why. The decision, the facts and the look into the message
are those of a delivery; nothing is written, and everything is decided again when it is sent."""

from typing import Final

from carepost.directory.types import OrgSnapshot
from carepost.intake import draft, routing
from carepost.intake.facts import About
from carepost.intake.judge import Judge
from carepost.intake.looking import Inspector, look
from carepost.policy.content import ContentFacts
from carepost.rfc.envelope import Recipient
from carepost.wire.types import AcceptedDelivery, Submission

#: seconds one look may take: somebody waits for the answer
_SECONDS: Final = 10.0


class Previews:
    """`inspector` None: what a message contains is not known, and the answer says so."""

    def __init__(self, judge: Judge, inspector: Inspector | None = None) -> None:
        self._judge = judge
        self._inspector = inspector

    async def of(
        self, snapshot: OrgSnapshot, about: About, submission: Submission, recipients: tuple[Recipient, ...]
    ) -> tuple[AcceptedDelivery, ...]:
        """One for each recipient, those that rules add among them."""
        if not about.routed:
            return tuple([await self._one(snapshot, about, submission, r) for r in recipients])
        found = []
        for one in routing.routed(snapshot, about, recipients):
            shown = await self._one(snapshot, routing.about_for(about, one.via), submission, one.recipient, one.via)
            found.append(shown)
        return tuple(found)

    async def _one(
        self,
        snapshot: OrgSnapshot,
        about: About,
        submission: Submission,
        recipient: Recipient,
        via: routing.Via | None = None,
    ) -> AcceptedDelivery:
        content = await self._content(snapshot, about, submission, recipient)
        decision, words = self._judge.foresee(snapshot, about, recipient.address, content)
        said = words if via is None else f"{routing.sentence(via)} {words}"
        return draft.shown(recipient, decision, said)

    async def _content(
        self, snapshot: OrgSnapshot, about: About, submission: Submission, recipient: Recipient
    ) -> ContentFacts | None:
        """None: no rule could decide otherwise because of it, nobody can look, or there is nothing yet to look into."""
        if self._inspector is None or _blank(submission.body, about):
            return None
        needed = self._judge.wanted(snapshot, about, recipient.address)
        if not needed:
            return None

        async def whole() -> bytes:
            return submission.body

        looked = await look(
            self._inspector, snapshot, about.sender, recipient.address, needed, whole, deadline=_SECONDS
        )
        return looked.facts


def _blank(body: bytes, about: About) -> bool:
    """A preview asked for before anything was written: what will stand there is not known."""
    header, _, text = body.partition(b"\r\n\r\n")
    subject = about.subject is not None or any(
        line[:8].lower() == b"subject:" and line[8:].strip() for line in header.split(b"\r\n")
    )
    return not subject and not text.strip()
