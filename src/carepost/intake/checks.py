"""What is refused at the door whatever the recipient: size, shape, and a sender who is not the submitter's to use."""

from collections.abc import Callable
from typing import Final

from carepost.directory.types import OrgSnapshot, Tracking
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.rfc.address import Mailbox
from carepost.rfc.message import Message
from carepost.wire.types import Origin, Submission, TrackingAsk

#: what people and their programs hand over: its sender must be theirs (BI-015)
_SUBMITTED: Final = frozenset({Origin.SMTP, Origin.API, Origin.FORM, Origin.CAMPAIGN, Origin.CONSOLE})
_DAY_US: Final = 86_400_000_000


class SenderRefused(Refused):
    """`sender`: the address that is not the submitter's to use; `cause`: not-our-domain | not-this-credential."""

    def __init__(self, sender: str, cause: str, public: str) -> None:
        super().__init__("sender-domain", public, enhanced="5.7.1")
        self.sender, self.cause = sender, cause


def shape(submission: Submission, max_message: int, max_recipients: int) -> None:
    """Raises Refused."""
    if len(submission.body) > max_message:
        raise Refused("too-large", "The message is larger than this system takes.", enhanced="5.3.4", status=413)
    count = len(submission.envelope.recipients)
    if count == 0:
        raise Refused("no-recipients", "The message has no recipient.", enhanced="5.5.1", status=422)
    if count > max_recipients:
        raise Refused("too-many-recipients", "The message has too many recipients.", enhanced="5.5.3", status=422)
    if 0 < submission.expires_at <= submission.send_at:
        raise Refused("expires-early", "The message would expire before it is sent.", enhanced="5.6.0", status=422)


def ahead(submission: Submission, snapshot: OrgSnapshot, now: int) -> None:
    """Of a message with `send_at`: no further ahead than the organisation lets it. Raises Refused."""
    latest = now + snapshot.ahead * _DAY_US
    if submission.send_at > latest:
        words = (
            f"Your organisation schedules messages at most {snapshot.ahead} days ahead: `send_at` may be "
            f"{clock.rfc3339(latest)} at the latest. An administrator can change it: carepost sending ahead DAYS."
        )
        raise Refused("send-at-too-far", words, enhanced="5.7.1", status=422)


def tracking(submission: Submission, asked: TrackingAsk, snapshot: OrgSnapshot) -> None:
    """A message asks to be watched only where its organisation lets it: nothing that is asked for is passed over.
    Raises Refused."""
    level = snapshot.tracking.get(submission.category.value, Tracking())
    for what, wanted, allowed in (("opens", asked.opens, level.opens), ("clicks", asked.clicks, level.clicks)):
        if wanted and allowed == "off":
            words = (
                f"Your organisation does not watch {what} of {submission.category.value} mail; set tracking.{what} to "
                "false or leave it out. An administrator can turn it on: carepost tracking set."
            )
            raise Refused("tracking-off", words, enhanced="5.7.1", status=422)


def sender(submission: Submission, snapshot: OrgSnapshot, mailboxes: tuple[Mailbox, ...], hostname: str) -> None:
    """MAIL FROM and every From address belong to the organisation, and to what this credential may use.

    Raises SenderRefused."""
    if submission.origin is Origin.INBOUND:
        # its sender is the world's
        return
    # of what a mailbox forwards the mailbox is answered for: From is the world's
    addresses = dict.fromkeys([] if submission.forwarder else [mailbox.address for mailbox in mailboxes])
    if submission.envelope.sender:
        addresses[submission.envelope.sender] = None
    for address in addresses:
        domain = address.rpartition("@")[2]
        if snapshot.domain(domain) is None:
            # a report of ours may come from the system's own name when the organisation has no domain yet
            if submission.origin is Origin.BOUNCE and domain == hostname:
                continue
            raise SenderRefused(
                address, "not-our-domain", "The From or MAIL FROM address is not in a domain of your organisation."
            )
        if submission.origin in _SUBMITTED and submission.domains and domain not in submission.domains:
            raise SenderRefused(
                address,
                "not-this-credential",
                "This credential may not send from the domain of the From or MAIL FROM address.",
            )


def named(submission: Submission, snapshot: OrgSnapshot, read: Message, owner: Callable[[str], bytes | None]) -> None:
    """Sender may be somebody outside (a calendar, a list), but nobody of another organisation here: mail programs show
    it beside From, or instead of it. `owner`: of a sender domain. Raises SenderRefused, Unavailable."""
    if b"sender" not in read.first or submission.origin not in _SUBMITTED:
        return
    for mailbox in read.mailboxes("sender"):
        domain = mailbox.address.rpartition("@")[2]
        if snapshot.domain(domain) is None and owner(domain) is not None:
            raise SenderRefused(
                mailbox.address, "not-our-domain", "The Sender address is not in a domain of your organisation."
            )
