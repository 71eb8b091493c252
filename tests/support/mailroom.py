"""A portal with two invented clinics: organisations, deposits made as the journal makes them, and a door that keeps
what is handed to it (one key, one message, as the engine's does)."""

import re
import uuid
from collections.abc import Sequence

from carepost.crypto import rest, slowhash, wrap
from carepost.ground import ids
from carepost.ground.errors import Refused, Unavailable
from carepost.mailbox import deposits
from carepost.mailbox.deposits import Deposited, NewDeposit
from carepost.mailbox.models import Deposit
from carepost.mailbox.records import DepositRecord
from carepost.policy.types import Access, Method
from carepost.proof import event
from carepost.rfc import compose, mime
from carepost.rfc.address import Mailbox
from carepost.rfc.asking import FAILED, Found, Question
from carepost.tenancy import events, keys, scope
from carepost.tenancy.actions import domains, organisations
from carepost.tenancy.models import Organisation
from carepost.tenancy.permissions import BOOTSTRAP
from carepost.wire.pacing import LaneView
from carepost.wire.types import Accepted, AccessProof, Submission

#: 2026-11-21 12:00 UTC
NOON = 1_795_262_400_000_000
MINUTE = 60_000_000
SECRET_SUBJECT = "Results of the Quillfeather panel"
SECRET_TEXT = "Dear Ms Quillfeather, the zebrafish titre is normal."


class KeptDoor:
    """`taken`: what entered. `closed`: raises Unavailable, as with no engine."""

    def __init__(self) -> None:
        self.taken: list[Submission] = []
        self.closed = False
        self._known: dict[str, tuple[bytes, Accepted]] = {}
        #: as `intake.client.Client.waits` answers
        self.waiting: dict[bytes, tuple[int, int, int]] = {}
        #: how ways out stand, whoever asks
        self.stand: list[LaneView] = []
        #: recipients whose keys an engine was asked to look for
        self.sought: list[tuple[str, Method]] = []

    def accept(self, submission: Submission) -> Accepted:
        if self.closed:
            raise Unavailable("no-engine", "No engine answers.")
        assert submission.key is not None, "calls from the office always carry a key"
        known = self._known.get(submission.key)
        if known is not None:
            if known[0] != submission.payload_hash:
                raise Refused("key-reused", "This key was used for another message.", status=422)
            return Accepted(known[1].message_id, (), repeated=True)
        accepted = Accepted(ids.text(ids.new(1)), ())
        self._known[submission.key] = (submission.payload_hash, accepted)
        self.taken.append(submission)
        return accepted

    def lanes(self, org: bytes) -> tuple[LaneView, ...]:
        if self.closed:
            raise Unavailable("no-engine", "No engine answers.")
        return tuple(self.stand)

    def seek(self, org: bytes, address: str, method: Method) -> None:
        if self.closed:
            raise Unavailable("no-engine", "No engine answers.")
        self.sought.append((address, method))

    def waits(self) -> dict[bytes, tuple[int, int, int]]:
        return self.waiting

    def ask(self, question: Question) -> Found:
        """Name servers that are silent."""
        return FAILED

    def mails(self, to: str) -> list[str]:
        """The texts of what was handed over for an address."""
        return [mime.read(s.body).text for s in self.taken if s.envelope.recipients[0].address == to]

    def code(self, to: str) -> str:
        """The newest one-time code mailed to an address."""
        found = re.findall(r"^(\d{6})$", "\n".join(self.mails(to)), re.MULTILINE)
        assert found, "no code was sent"
        return str(found[-1])


def clinic(slug: str, domain: str) -> Organisation:
    made = organisations.create_organisation(
        slug,
        f"{slug.title()} Clinic",
        actor=BOOTSTRAP,
        notice_name=f"{slug.title()} Clinic",
        phone="555-0100",
        portal_url="https://portal.test",
        portal_address=f"portal@{domain}",
        portal_by_mail=True,
    )
    domains.add_domain(made.pk, domain, actor=BOOTSTRAP)
    return made


def lay(
    org: Organisation,
    *,
    to: str = "jane.quillfeather@patient.test",
    sender: str = "dr.owl@maple.test",
    name: str = "Dr. Olive Owl",
    subject: str = SECRET_SUBJECT,
    text: str | None = SECRET_TEXT,
    html: str | None = None,
    attachments: Sequence[compose.Attachment] = (),
    code: str = "",
    question: tuple[str, str] | None = None,
    expires_at: int = 0,
    raw: bytes | None = None,
    message: bytes | None = None,
    thread: str = "",
    access: AccessProof | None = None,
) -> Deposit:
    """A deposit as the journal makes it: body as the engine encrypted it, content key under the portal key."""
    message = message or ids.new(1)
    header_id = f"<{ids.text(message)}@{sender.partition('@')[2]}>"
    raw = raw or compose.build(
        from_=Mailbox(name, sender),
        to=[Mailbox("", to)],
        subject=subject,
        text=text,
        html=html,
        attachments=attachments,
        message_id=header_id,
        at=NOON,
    )
    access = access or AccessProof()
    if code:
        access = AccessProof(Access.CODE, verifier=slowhash.make(code))
    elif question:
        access = AccessProof(Access.QUESTION, question=question[0], verifier=slowhash.make(question[1]))
    with scope.organisation(org.pk):
        version, portal = keys.current(org.pk, "portal")
    content_key = rest.new_key()
    made: Deposited = deposits.deposit(
        NewDeposit(
            org=org.pk.bytes,
            delivery=ids.new(1),
            message=message,
            record=DepositRecord(sender, name, to, subject, header_id, NOON, access),
            chunks=rest.seal_body(content_key, org.pk.bytes, message, raw),
            wrapped_key=wrap.wrap_key(portal, content_key, org.pk.bytes + message, version),
            policy="1-test",
            category="transactional",
            rule="portal-by-mail",
            expires_at=expires_at,
            thread=thread,
        )
    )
    with scope.organisation(org.pk):
        return Deposit.objects.get(id=made.id)


def again(row: Deposit) -> Deposit:
    with scope.organisation(row.org_id):
        return Deposit.objects.get(id=row.id)


def happened(org: uuid.UUID, *kinds: str) -> list[event.Event]:
    """The office's events of these kinds (all when none is named), in order."""
    with scope.organisation(org):
        found = [event.read(row.event) for row in events.drain(0)]
    return [e for e in found if e.org == str(org) and (not kinds or e.kind in kinds)]
