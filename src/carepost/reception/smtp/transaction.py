"""The mail transaction: MAIL and RCPT, and who may say them (RFC 5321 3.3, 4.1.1)."""

import functools

from carepost.ground import log
from carepost.reception.credentials import Credentials, Identity
from carepost.reception.smtp import replies
from carepost.reception.smtp.effects import SenderRefused
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.types import Role
from carepost.rfc import address, esmtp
from carepost.rfc.envelope import Envelope, Recipient
from carepost.rfc.errors import RfcError

#: a system that submits says the same MAIL again and again
_parse_mail = functools.lru_cache(256)(esmtp.parse_mail)


class Transaction:
    """From MAIL to the end of DATA. Methods return the reply; Unavailable of the directory passes through."""

    def __init__(self, role: Role, credentials: Credentials, limits: Limits) -> None:
        self._role = role
        self._credentials = credentials
        self._limits = limits
        self._mail: esmtp.MailCommand | None = None
        self._recipients: list[Recipient] = []
        self._refused = 0
        #: at the MX: who reads what was named so far, we ourselves or a tenant's mail system
        self._kind = ""
        #: whose: the submitter's organisation, or the owner of the recipients' domain
        self.org = b""
        #: a recipient whose own mail system is to be asked first
        self.asked: Recipient | None = None
        #: senders refused and not yet put on record
        self.told: list[SenderRefused] = []

    @property
    def begun(self) -> bool:
        return self._mail is not None

    @property
    def requiretls(self) -> bool:
        """RFC 8689 4.1: never of a message with an empty return path."""
        return self._mail is not None and self._mail.requiretls and self._mail.sender != ""

    def reset(self) -> None:
        self._mail = None
        self._recipients = []
        self._refused = 0
        self._kind = ""
        self.org = b""
        self.asked = None

    def mail(self, argument: bytes, identity: Identity | None) -> bytes:
        if self._mail is not None:
            return replies.NOT_NOW
        try:
            mail = _parse_mail(argument)
        except RfcError as error:
            return replies.of_syntax(error)
        if mail.requiretls and self._role is Role.MX:
            return replies.NO_REQUIRETLS
        if mail.size > self._limits.max_message:
            return replies.TOO_LARGE
        if identity is not None:
            # the null sender has no domain: its From is checked at the dot, by intake
            if mail.sender and not self._credentials.may_send(identity, address.domain(mail.sender)):
                self._refuse(identity, mail.sender)
                return replies.NOT_YOUR_DOMAIN
            self.org = identity.org
        else:
            self._credentials.fresh()
        self._mail = mail
        return replies.SENDER_OK

    def rcpt(self, argument: bytes) -> bytes:
        if self._mail is None:
            return replies.SENDER_FIRST
        if len(self._recipients) >= self._limits.max_recipients:
            return replies.TOO_MANY_RECIPIENTS
        try:
            recipient = esmtp.parse_rcpt(argument, utf8=self._mail.smtputf8)
        except RfcError as error:
            self._refused += 1
            return replies.of_syntax(error)
        if self._role is Role.MX:
            refusal = self._foreign(recipient)
            if refusal:
                self._refused += 1
                return refusal
            if self._kind == "tenant" and self._credentials.asks_ahead(self.org, recipient.address):
                self.asked = recipient
                return b""
        self._recipients.append(recipient)
        return replies.RECIPIENT_OK

    def answered(self, known: bool | None) -> bytes:
        """What its own mail system said of `asked`; None: nothing, and it is taken as if nobody had asked."""
        recipient, self.asked = self.asked, None
        assert recipient is not None
        if known is False:
            self._refused += 1
            return replies.NOT_KNOWN_BEHIND
        self._recipients.append(recipient)
        return replies.RECIPIENT_OK

    def data(self) -> bytes | None:
        """A refusal, or None: the message may come."""
        if self._mail is None:
            return replies.SENDER_FIRST
        if not self._recipients:
            return replies.NO_RECIPIENTS if self._refused else replies.RECIPIENT_FIRST
        return None

    def envelope(self) -> Envelope:
        mail = self._mail
        assert mail is not None
        return Envelope(
            mail.sender, tuple(self._recipients), mail.ret, mail.envid, mail.smtputf8, mail.body == "8BITMIME"
        )

    def _foreign(self, recipient: Recipient) -> bytes | None:
        """At the MX: only addresses that somebody here answers for, of one organisation a message."""
        owner = self._credentials.owner(recipient.domain)
        if owner is None:
            return replies.RELAY_DENIED
        kind = self._credentials.answers(owner, recipient.address)
        if not kind:
            return replies.NO_SUCH_MAILBOX
        if self._kind not in ("", kind):
            return replies.ANOTHER_READER
        self._kind = kind
        if self.org and owner != self.org:
            return replies.ONE_ORGANISATION
        self.org = owner
        return None

    def _refuse(self, identity: Identity, sender: str) -> None:
        ours = self._credentials.owner(address.domain(sender)) == identity.org
        log.event("sender-refused", credential=identity.credential.id)
        self.told.append(SenderRefused(identity, sender, "not-this-credential" if ours else "not-our-domain"))
