"""How an attempt ended, as one value. One pure function, one table (DESIGN 3), one table test.

floor not met on every host            -> the next method at once, else again later
DNS, TLSA look-up, network, 4xx        -> again later; after the organisation's patience the next method
5xx about mailbox, sender, protocol    -> failed and a report; never another method
5xx about size, content or TLS         -> the next method, else failed
no answer after the final dot          -> uncertain: again by the same method only
"""

import enum

import msgspec

from carepost.delivery.methods import openpgp
from carepost.queue.types import Stage
from carepost.rfc.reply import Reply


class Lead(enum.StrEnum):
    """What an end leads to."""

    SENT = "sent"
    RETRY = "retry"
    METHOD = "next-method"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Outcome(msgspec.Struct, frozen=True):
    lead: Lead
    #: stable code
    reason: str
    #: RFC 3463, ours where the server gave none
    enhanced: str
    #: for people; never the other server's words
    words: str
    #: what METHOD comes to where no method is left
    otherwise: Lead = Lead.RETRY


#: RFC 8689: the host does not say that it requires TLS of the next one, or its name was found by unsigned DNS
NO_REQUIRETLS = "no-requiretls"
#: the source address that was chosen is not on this machine, or leads to none of the hosts
NO_SOURCE = "no-source-address"
#: reason -> (enhanced code, words). Codes are stable, sentences may be improved.
REASONS: dict[str, tuple[str, str]] = {
    "accepted": ("2.0.0", "The recipient's mail server accepted the message."),
    # what a server's protection lacked
    "no-tls": ("5.7.10", "The recipient's mail server offers no encryption."),
    "starttls-refused": ("5.7.10", "The recipient's mail server offered encryption and then refused it."),
    "starttls-injected": (
        "5.7.10",
        "Somebody put text into the start of the encrypted connection; it was cut off.",
    ),
    "tls-failed": ("5.7.10", "The recipient's mail server offers no encryption that is safe today."),
    "absent": ("5.7.5", "The recipient's mail server showed no certificate."),
    "unreadable": ("5.7.5", "The certificate of the recipient's mail server cannot be read."),
    "expired": ("5.7.5", "The certificate of the recipient's mail server has expired."),
    "not-yet-valid": ("5.7.5", "The certificate of the recipient's mail server is not valid yet."),
    "self-signed": ("5.7.5", "Nobody vouches for the certificate of the recipient's mail server: it is self-signed."),
    "unknown-issuer": ("5.7.5", "The certificate of the recipient's mail server comes from an unknown authority."),
    "wrong-use": ("5.7.5", "The certificate of the recipient's mail server is not made for servers."),
    "no-name": ("5.7.5", "The certificate of the recipient's mail server names no server."),
    "revoked": ("5.7.5", "The certificate of the recipient's mail server was revoked."),
    "wrong-name": ("5.7.5", "The certificate of the recipient's mail server belongs to another server."),
    "pin-mismatch": (
        "5.7.5",
        "The pinned mail server does not hold a key that was pinned for it.",
    ),
    "dane-mismatch": (
        "5.7.5",
        "The recipient's mail server does not hold the key its domain publishes (DANE).",
    ),
    "dane-unusable": ("5.7.5", "The key the recipient's domain publishes (DANE) cannot be checked."),
    "mta-sts-mx": ("5.7.5", "The recipient's domain says that this mail server is not one of its own (MTA-STS)."),
    "tls-lost": ("5.7.10", "The recipient's mail server has lost protection it had before."),
    "mx-moved": ("5.7.5", "The recipient's domain has just changed its mail servers; that is watched for a day."),
    "looked": ("2.0.0", "The recipient's mail server was looked at; nothing was sent."),
    NO_REQUIRETLS: ("5.7.30", "The recipient's mail server does not promise to go on with required TLS (REQUIRETLS)."),
    "below-floor": ("5.7.10", "The recipient's mail server does not reach the protection that is required."),
    "no-recipient-key": ("5.7.5", "No key of the recipient's can be used any more."),
    **openpgp.REASONS,
    "certificate-unusable": ("5.7.5", "The recipient's certificate for S/MIME can no longer be used."),
    "certificate-unchecked": (
        "5.7.5",
        "Nobody could be asked whether the recipient's certificate for S/MIME was revoked, so it was not used.",
    ),
    # before a server was reached
    "null-mx": ("5.1.10", "The recipient's domain takes no mail."),
    "no-such-domain": ("5.1.2", "The recipient's domain does not exist."),
    "no-mail-host": ("5.1.2", "The recipient's domain has no mail server."),
    "no-usable-host": ("5.4.4", "The recipient's domain names no mail server that can be used."),
    "mail-loop": ("5.4.6", "The recipient's domain leads the mail back to us."),
    "dns-failure": ("4.4.3", "The recipient's domain could not be looked up."),
    "dns-timeout": ("4.4.3", "The name servers of the recipient's domain did not answer."),
    "dns-bogus": ("4.4.3", "The answer about the recipient's domain was falsified or is broken (DNSSEC)."),
    "tlsa-failure": ("4.4.3", "The key the recipient's domain publishes (DANE) could not be looked up."),
    # the network, and servers that do not keep to the protocol
    "refused": ("4.4.1", "The recipient's mail server could not be reached."),
    "timeout": ("4.4.2", "The recipient's mail server did not answer in time."),
    "busy": ("4.4.5", "The recipient's mail server is so slow that other messages are still waiting for it."),
    NO_SOURCE: ("4.4.1", "The sending address is not on this machine, or leads nowhere; look under Providers."),
    "tls-timeout": ("4.4.2", "The recipient's mail server did not answer in time while encryption was set up."),
    "tls-broken": ("4.4.2", "The connection ended while encryption was set up."),
    "lost": ("4.4.2", "The connection to the recipient's mail server ended."),
    "malformed": ("4.5.0", "The recipient's mail server gave an answer that cannot be understood."),
    # answers
    "asked-to-wait": ("4.0.0", "The recipient's mail server asked to try again later."),
    "mailbox-full-now": ("4.2.2", "The recipient's mailbox is full at the moment."),
    "server-unwilling": ("4.3.2", "The recipient's mail server takes no mail from us at the moment."),
    "no-such-mailbox": ("5.1.1", "There is no such mailbox."),
    "mailbox-closed": ("5.2.1", "The recipient's mailbox takes no mail."),
    "mailbox-full": ("5.2.2", "The recipient's mailbox is full."),
    "sender-refused": ("5.7.1", "The recipient's mail server does not take mail from this sender."),
    "refused-by-rule": ("5.7.1", "The recipient's mail server refused the message by a rule of its own."),
    "refused-for-good": ("5.0.0", "The recipient's mail server refused the message for good."),
    "protocol": ("5.5.0", "The recipient's mail server did not accept a step of the delivery."),
    "no-mail-here": ("5.3.2", "The recipient's server takes no mail at all."),
    "too-large": ("5.3.4", "The message is too large for the recipient's mail server."),
    "content-refused": ("5.6.0", "The recipient's mail server refused the content of the message."),
    "tls-required": ("5.7.10", "The recipient's mail server asks for another kind of protection."),
    "no-smtputf8": ("5.6.7", "The recipient's mail server cannot take addresses with letters beyond ASCII."),
    "no-8bitmime": (
        "5.6.3",
        "The recipient's mail server takes plain ASCII only, and the message cannot be changed to it.",
    ),
    # a tenant's own mail system, where we sign in
    "sign-in-refused": ("4.7.0", "Your own mail system did not take our sign-in; look at its page under Gateway."),
    "sign-in-no-token": ("4.7.0", "No access token for your own mail system was to be had; look under Gateway."),
    "sign-in-not-offered": ("4.7.0", "Your own mail system offers no way of signing in that is set for it."),
    "sign-in-later": ("4.7.0", "Your own mail system could not check our sign-in just now."),
    # ours
    "reply-lost": (
        "4.4.2",
        "The connection ended after the message was sent and before the answer; it may have arrived.",
    ),
    "expired-in-queue": ("5.4.7", "The message could not be delivered within the time allowed."),
    "too-many-hops": ("5.4.6", "The message has passed through too many servers."),
    "cannot-be-prepared": ("5.6.0", "The message could not be prepared for sending."),
    "deposited": ("2.0.0", "The message waits for the recipient in the secure portal."),
    "double-bounce": ("5.0.0", "A delivery report could not be delivered."),
}

#: reasons found before any server was asked that will not pass
_FINAL = frozenset(
    {"null-mx", "no-such-domain", "no-mail-host", "no-usable-host", "mail-loop", "too-many-hops", "cannot-be-prepared"}
)
#: words of the connection for ends that may pass
_PASSING = {
    "refused": "refused",
    "busy": "busy",
    NO_SOURCE: NO_SOURCE,
    "timeout": "timeout",
    "tls-timeout": "tls-timeout",
    "tls-lost": "tls-broken",
    "malformed": "malformed",
    "unasked": "malformed",
    **{word: word for word in ("sign-in-refused", "sign-in-no-token", "sign-in-not-offered", "sign-in-later")},
}
#: RFC 3463, RFC 5248, RFC 8689: what 5.7 codes say about encryption
_TLS_CODES = frozenset({"5.7.4", "5.7.5", "5.7.6", "5.7.7", "5.7.10", "5.7.11", "5.7.30"})
_AFTER_DATA = frozenset({Stage.DATA, Stage.DOT})


def outcome(lead: Lead, reason: str, enhanced: str = "", otherwise: Lead = Lead.RETRY) -> Outcome:
    own, words = REASONS.get(reason, ("5.0.0", reason))
    return Outcome(lead, reason, enhanced or own, words, otherwise)


def classify(stage: Stage, reply: Reply | None, error: str = "", *, dot: bool = False, short: bool = False) -> Outcome:
    """`stage`, `reply`, `error`, `dot` as `exchange.Ended` has them; `short`: every host fell short of the floor.

    Pure and total: whatever a server says, there is exactly one outcome."""
    if short and error == NO_REQUIRETLS:
        # RFC 8689 4.2.1, 5: what cannot be relayed so is returned; nothing of the other side's will pass by waiting
        return outcome(Lead.METHOD, error, otherwise=Lead.FAILED)
    if short:
        return outcome(Lead.METHOD, error if error in REASONS else "below-floor")
    if dot and (reply is None or error or reply.malformed or reply.code // 100 == 3):
        return outcome(Lead.UNCERTAIN, "reply-lost")
    if error:
        return _without_answer(error)
    if reply is None:
        return outcome(Lead.RETRY, "lost")
    if reply.malformed or reply.code // 100 == 3:
        return outcome(Lead.RETRY, "malformed")
    if reply.code // 100 == 2:
        # A 2xx is a delivery only as the answer to the final dot.
        return outcome(Lead.SENT, "accepted", reply.enhanced) if dot else outcome(Lead.RETRY, "malformed")
    if reply.code // 100 == 4:
        return _later(reply)
    return _refused(stage, reply)


def _without_answer(error: str) -> Outcome:
    if error in _FINAL:
        return outcome(Lead.FAILED, error)
    if error == "mta-sts-mx":
        return outcome(Lead.METHOD, error)
    if error == "no-smtputf8":
        return outcome(Lead.FAILED, error)
    if error in ("too-large", "no-8bitmime"):
        return outcome(Lead.METHOD, error, otherwise=Lead.FAILED)
    if error.startswith(("dns-", "tlsa-")) and error in REASONS:
        return outcome(Lead.RETRY, error)
    return outcome(Lead.RETRY, _PASSING.get(error, "lost"))


def _later(reply: Reply) -> Outcome:
    if (reply.code == 452 and reply.enhanced in ("", "4.2.2")) or reply.enhanced == "4.2.2":
        return outcome(Lead.RETRY, "mailbox-full-now", reply.enhanced)
    if reply.code == 421:
        return outcome(Lead.RETRY, "server-unwilling", reply.enhanced)
    return outcome(Lead.RETRY, "asked-to-wait", reply.enhanced)


def _refused(stage: Stage, reply: Reply) -> Outcome:
    """A 5xx."""
    if stage in (Stage.BANNER, Stage.EHLO, Stage.STARTTLS):
        # About us or the server, not about the mailbox; RFC 7504 makes one exception.
        if reply.code in (521, 556):
            return outcome(Lead.FAILED, "no-mail-here", reply.enhanced)
        return outcome(Lead.RETRY, "server-unwilling")
    if reply.enhanced:
        return _by_enhanced(stage, reply)
    return _by_code(stage, reply)


def _by_enhanced(stage: Stage, reply: Reply) -> Outcome:
    code = reply.enhanced
    subject, detail = code.split(".")[1:]
    if code in ("5.2.3", "5.3.4"):
        return outcome(Lead.METHOD, "too-large", code, Lead.FAILED)
    if code in _TLS_CODES or (code == "5.7.0" and reply.code in (530, 523, 534, 538)):
        return outcome(Lead.METHOD, "tls-required", code, Lead.FAILED)
    if code == "5.6.7":
        return outcome(Lead.FAILED, "no-smtputf8", code)
    if subject == "6" or code == "5.3.3":
        return outcome(Lead.METHOD, "content-refused", code, Lead.FAILED)
    if subject == "1":
        mine = detail in ("7", "8") or (detail != "10" and stage is Stage.MAIL)
        return outcome(Lead.FAILED, "sender-refused" if mine else "no-such-mailbox", code)
    if subject == "2":
        return outcome(Lead.FAILED, "mailbox-full" if detail == "2" else "mailbox-closed", code)
    if subject == "4":
        return outcome(Lead.FAILED, "mail-loop" if detail == "6" else "no-usable-host", code)
    if subject == "5":
        return outcome(Lead.FAILED, "protocol", code)
    if subject == "7":
        if stage in _AFTER_DATA:
            return outcome(Lead.METHOD, "content-refused", code, Lead.FAILED)
        return outcome(Lead.FAILED, "sender-refused" if stage is Stage.MAIL else "refused-by-rule", code)
    return _by_code(stage, reply)


def _by_code(stage: Stage, reply: Reply) -> Outcome:
    code, enhanced = reply.code, reply.enhanced
    if code == 552:
        if stage is Stage.RCPT:
            # RFC 5321 4.5.3.1.10: old servers say 552 for 452 here.
            return outcome(Lead.RETRY, "asked-to-wait")
        return outcome(Lead.METHOD, "too-large", enhanced, Lead.FAILED)
    if code in (523, 530, 534, 538):
        return outcome(Lead.METHOD, "tls-required", enhanced, Lead.FAILED)
    if code in (521, 556):
        return outcome(Lead.FAILED, "no-mail-here", enhanced)
    if code < 510 or code == 555:
        return outcome(Lead.FAILED, "protocol", enhanced)
    if stage in _AFTER_DATA:
        return outcome(Lead.METHOD, "content-refused", enhanced, Lead.FAILED)
    if stage is Stage.MAIL:
        return outcome(Lead.FAILED, "sender-refused", enhanced)
    if code in (550, 551, 553):
        return outcome(Lead.FAILED, "no-such-mailbox", enhanced)
    return outcome(Lead.FAILED, "refused-for-good", enhanced)
