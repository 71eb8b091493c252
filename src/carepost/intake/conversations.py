"""An answer by mail to what a person wrote in the portal: it joins their conversation there, or is refused.

It joins when its address carries the token we gave out, still valid, and its writer is proved to be the one we gave it
to: by SMTP AUTH or an API key of the organisation, or by DMARC where it came over the world. Then it is an ordinary
message to the person, for the portal only. One address of the conversation stands in the envelope, the person's own."""

import asyncio
import hashlib
from typing import Final

import msgspec

from carepost.crypto import sender as senders
from carepost.crypto.sender import Proved
from carepost.directory.threads import Found, Threads, fits
from carepost.directory.types import OrgSnapshot
from carepost.ground import ids
from carepost.ground.errors import NotFound, Refused
from carepost.intake.own import Own, own, token_of
from carepost.policy.types import Method
from carepost.rfc import authres
from carepost.rfc.envelope import Recipient
from carepost.rfc.message import Message
from carepost.wire.types import Origin, Protection, Submission

#: who may hand mail for a conversation over without DNS being asked who they are
_KNOWN: Final = frozenset({Origin.SMTP, Origin.API, Origin.CONSOLE})

NO_CONVERSATION: Final = (
    "This address belongs to no open conversation; write a new message to the person's own address instead."
)
NOT_PROVED: Final = (
    "An answer joins the conversation only from the address the portal wrote to, and when DMARC proves it; "
    "answer from that address, or write a new message to the person's own address."
)
ONE: Final = "A mail can answer one conversation at a time."


class NotJoined(Refused):
    """`cause`: no-conversation | not-proved | one-conversation."""

    def __init__(self, cause: str, public: str) -> None:
        super().__init__(cause, public, enhanced="5.7.1", status=422)
        self.cause = cause


def wanted(submission: Submission) -> bool:
    """Whether a submission of ours may be an answer: a cheap look at every address, before anything is read."""
    if submission.origin in _KNOWN:
        for recipient in submission.envelope.recipients:
            if "+" in recipient.address:
                return True
    return False


class Conversations:
    def __init__(self, threads: Threads, host: str) -> None:
        """`host`: our name in Authentication-Results."""
        self._threads = threads
        self._host = host

    async def of_world(
        self, submission: Submission, snapshot: OrgSnapshot, read: Message, proved: Proved
    ) -> Submission:
        """What came to the MX, as the message it becomes. Raises NotJoined, Unavailable."""
        thread, found = await self._one(submission, snapshot)
        if not proved.aligned or not _wrote(found, read):
            raise NotJoined("not-proved", NOT_PROVED)
        body = senders.field(self._host, proved) + authres.without(submission.body, read, self._host)
        digest = hashlib.sha256(submission.body).hexdigest()[:32]
        return _joined(
            submission, found, thread, submission.envelope.recipients[0], body=body, origin=Origin.REPLY,
            key=f"conversation:{ids.text(thread)}:{digest}", proved=proved.facts(),
            payload_hash=bytes.fromhex(digest),
        )  # fmt: skip

    async def of_ours(
        self, submission: Submission, snapshot: OrgSnapshot, read: Message
    ) -> tuple[Submission | None, tuple[Submission, ...]]:
        """(what is left of the submission, the messages that join conversations). Raises NotJoined, Unavailable."""
        left: list[Recipient] = []
        joined: list[Submission] = []
        for recipient in submission.envelope.recipients:
            token = token_of(recipient.address)
            if token is None or own(snapshot, recipient.address) is not Own.PORTAL:
                left.append(recipient)
                continue
            found = await self._find(snapshot, *token)
            if not _wrote(found, read):
                raise NotJoined("not-proved", NOT_PROVED)
            joined.append(self._of_ours(submission, found, token[0], recipient))
        if not left:
            return None, tuple(joined)
        envelope = msgspec.structs.replace(submission.envelope, recipients=tuple(left))
        return msgspec.structs.replace(submission, envelope=envelope), tuple(joined)

    def _of_ours(self, submission: Submission, found: Found, thread: bytes, recipient: Recipient) -> Submission:
        # the same mail handed over again is the same message, whatever became of the rest of it
        mark = submission.key or hashlib.sha256(submission.body).hexdigest()
        who = f"{submission.actor.id}:{mark}".encode()
        key = f"conversation:{ids.text(thread)}:{hashlib.sha256(who).hexdigest()[:32]}"
        return _joined(submission, found, thread, recipient, key=key)

    async def _one(self, submission: Submission, snapshot: OrgSnapshot) -> tuple[bytes, Found]:
        addresses = [r.address for r in submission.envelope.recipients if own(snapshot, r.address) is Own.PORTAL]
        tokens = {token_of(address) for address in addresses}
        if len(tokens) > 1:
            raise NotJoined("one-conversation", ONE)
        token = tokens.pop() if tokens else None
        if token is None:
            raise NotJoined("no-conversation", NO_CONVERSATION)
        return token[0], await self._find(snapshot, *token)

    async def _find(self, snapshot: OrgSnapshot, thread: bytes, mac: bytes) -> Found:
        """Absent, forged and too old are the same."""
        try:
            found = await asyncio.to_thread(self._threads.find, snapshot, thread)
        except NotFound:
            raise NotJoined("no-conversation", NO_CONVERSATION) from None
        if not fits(found, mac):
            raise NotJoined("no-conversation", NO_CONVERSATION)
        return found


def _joined(submission: Submission, found: Found, thread: bytes, recipient: Recipient, **changes: object) -> Submission:
    record = found.record
    envelope = msgspec.structs.replace(
        submission.envelope,
        sender=record.sender,
        recipients=(msgspec.structs.replace(recipient, address=record.recipient, orcpt=None),),
        envid=None,
    )
    # of the message that began it a sender was told how it opens; of what follows nobody needs to be
    known = msgspec.structs.replace(record.access, late=False)
    protection = Protection(submission.protection.minimum, (Method.PORTAL,), known)
    return msgspec.structs.replace(
        submission, envelope=envelope, protection=protection, thread=ids.text(thread), **changes
    )


def _wrote(found: Found, read: Message) -> bool:
    """From is the one address the token was given to."""
    return len(read.from_) == 1 and read.from_[0].address.casefold() == found.record.sender.casefold()
