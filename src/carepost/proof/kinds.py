"""The closed list of event kinds, their commitments and their facts; only ever added to (DESIGN 4).

Make an event with `make(kind, …)`: it returns the Draft and the openings, i.e. `EventDraft(*make(…))`. It says:

- `on`: ids it is about. MESSAGE kinds: the message alone (never its deliveries: that would tell one recipient how many
  others there are). DELIVERY, PORTAL and TRACKING kinds: message and delivery. STAFF kinds: what was looked at or
  acted on.
- `result`: ok | deferred | failed | held | refused | uncertain. `cause`: stable reason code, never free text.
- `policy`: policy version. `category`: message category. `facts`: names of FACTS below, values never personal.
- `commit`: salted digests of what is personal, made with the `commit_*` functions below:

  field      in                                        value
  submitted  message.accepted                          SHA-256 of the bytes as submitted, Bcc fields taken out
  mail       message.accepted, delivery.sent,          digests that match a mail found in an inbox (`mail_value`)
             delivery.deposited, delivery.uncertain
  recipient  delivery.queued, delivery.held (at door)  the address, UTF-8
  sent       delivery.sent, delivery.uncertain         SHA-256 of the bytes sent after DATA, before dot-stuffing
  deposit    delivery.deposited                        SHA-256 of the bytes laid into the portal
  wire       every delivery.* with a remote side       JSON: mx, address, reply, chain, tlsa, mta_sts (`commit_wire`)
  client     message.accepted, portal.*                client address; never opened in a proof
  record     message.accepted                          JSON (wire.types.HistoryRecord); taken out by the journal
  words      delivery.*                                JSON (wire.types.Told): the sentences; never opened in a proof
  reason     staff acts                                a person's words; never opened in a proof
  note       delivery.turned-down                      what the sender is told; never opened in a proof
  sender     sender.refused                            the address that was refused; never opened in a proof
  report     report.received                           msgpack of wire.reports.Received; never opened in a proof
  asked      preview.asked                             the addresses asked about; never opened in a proof
  key        keyring.key-found                         msgpack of wire.found.Found; never opened in a proof
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from carepost.proof.commitments import (
    commit_deposit,
    commit_message,
    commit_recipient,
    commit_sent,
    commit_wire,
    scrub,
)
from carepost.proof.event import Draft, EventActor, commit

__all__ = [
    "commit_deposit",
    "commit_message",
    "commit_recipient",
    "commit_sent",
    "commit_wire",
    "info",
    "make",
    "scrub",
]

MESSAGE: Final = "message"
DELIVERY: Final = "delivery"
PORTAL: Final = "portal"
#: said of a copy by those who fetched its picture or links: evidence of no delivery, so no proof holds it
TRACKING: Final = "tracking"
STAFF: Final = "staff"
HOUSE: Final = "house"


class KindInfo(msgspec.Struct, frozen=True):
    #: MESSAGE | DELIVERY | PORTAL | TRACKING | STAFF | HOUSE
    level: str
    #: for people; completes "at 10:02: …"
    words: str


MESSAGE_ACCEPTED: Final = "message.accepted"
MESSAGE_RETRACTED: Final = "message.retracted"
MESSAGE_EXPIRED: Final = "message.expired"
MESSAGE_DISPOSED: Final = "message.disposed"
#: on the first message and the new one
MESSAGE_RESENT: Final = "message.resent"
MESSAGE_IGNORED: Final = "message.ignored"
REPORT_RECEIVED: Final = "report.received"
BOUNCE_RECEIVED: Final = "bounce.received"
UNSUBSCRIBED: Final = "suppression.unsubscribed"
SENDER_REFUSED: Final = "sender.refused"
FORWARD_RETURNED: Final = "forward.returned"
GATEWAY_RETURNED: Final = "gateway.returned"
DELIVERY_QUEUED: Final = "delivery.queued"
DELIVERY_HELD: Final = "delivery.held"
DELIVERY_REFUSED: Final = "delivery.refused"
DELIVERY_RELEASED: Final = "delivery.released"
DELIVERY_ACCESS_AGREED: Final = "delivery.access-agreed"
DELIVERY_RETRIED: Final = "delivery.retried"
DELIVERY_RETRACTED: Final = "delivery.retracted"
DELIVERY_PLAN_CHANGED: Final = "delivery.plan-changed"
DELIVERY_ATTEMPTED: Final = "delivery.attempted"
DELIVERY_METHOD_CHANGED: Final = "delivery.method-changed"
DELIVERY_DEFERRED: Final = "delivery.deferred"
DELIVERY_SENT: Final = "delivery.sent"
DELIVERY_DEPOSITED: Final = "delivery.deposited"
DELIVERY_UNCERTAIN: Final = "delivery.uncertain"
DELIVERY_FAILED: Final = "delivery.failed"
DELIVERY_TESTED: Final = "delivery.tested"
DELIVERY_HELD_BACK: Final = "delivery.held-back"
#: a provider's reply asked for less: `noticed` says which, from which address, until when (wire.pacing.Noticed)
PROVIDER_ASKED: Final = "provider.asked"
DELIVERY_BOUNCED: Final = "delivery.bounced"
DELIVERY_COMPLAINED: Final = "delivery.complained"
#: fact `reported` says what; evidence beside the state, which it never changes
DELIVERY_REPORTED: Final = "delivery.reported"
PORTAL_NOTIFIED: Final = "portal.notified"
PORTAL_CODE_SENT: Final = "portal.code-sent"
PORTAL_ACCESS_FAILED: Final = "portal.access-failed"
DELIVERY_INSPECTED: Final = "delivery.inspected"
DELIVERY_APPROVED: Final = "delivery.approved"
DELIVERY_TURNED_DOWN: Final = "delivery.turned-down"
DELIVERY_TIME_OVER: Final = "delivery.time-over"
PORTAL_LOCKED: Final = "portal.locked"
PORTAL_OPENED: Final = "portal.opened"
PORTAL_VIEWED: Final = "portal.viewed"
PORTAL_DOWNLOADED: Final = "portal.downloaded"
PORTAL_REPLIED: Final = "portal.replied"
PORTAL_EXPIRED: Final = "portal.expired"
PORTAL_LISTED: Final = "portal.listed"
PORTAL_HELP_ASKED: Final = "portal.help-asked"
PORTAL_DISOWNED: Final = "portal.disowned"
PORTAL_DELETED: Final = "portal.deleted"
PORTAL_NOTICE_FAILED: Final = "portal.notice-failed"
PORTAL_REPLY_FAILED: Final = "portal.reply-failed"
DESTINATION_WEAKENED: Final = "destination.weakened"
DESTINATION_CERTIFICATE_ENDING: Final = "destination.certificate-ending"
KEY_ENDING: Final = "keyring.key-ending"
OWN_KEY_ENDING: Final = "keyring.own-key-ending"
AUTHORITY_ENDING: Final = "keyring.authority-ending"
KEY_FOUND: Final = "keyring.key-found"
KEY_WITHDRAWN: Final = "keyring.key-withdrawn"
TRACKING_OPENED: Final = "tracking.opened"
TRACKING_CLICKED: Final = "tracking.clicked"
TRACKING_REJUDGED: Final = "tracking.rejudged"
MESSAGE_VIEWED: Final = "message.viewed"
MESSAGE_LISTED: Final = "message.listed"
MESSAGE_SEARCHED: Final = "message.searched"
PROOF_EXPORTED: Final = "proof.exported"
EVENTS_OPENED: Final = "audit.events-opened"
PREVIEW_ASKED: Final = "preview.asked"
CLOCK_STATE: Final = "clock.state"
HOUSE_STARTED: Final = "house.started"
HOUSE_STOPPED: Final = "house.stopped"
CHECKPOINT_MAILED: Final = "checkpoint.mailed"
HOUSE_RESTORED: Final = "house.restored"
EVENTS_DISPOSED: Final = "audit.events-disposed"
KEYS_REWRAPPED: Final = "keys.rewrapped"
KEYS_PUT_BACK: Final = "keys.put-back"
LOG_KEY_INTRODUCED: Final = "log.key-introduced"
COLD_CHANGED: Final = "cold.store-changed"
NETWORKS_CHANGED: Final = "house.networks-changed"
BODY_COLD: Final = "message.moved-cold"
BODY_BACK: Final = "message.brought-back"
BODY_COLD_DELETED: Final = "message.deleted-cold"

#: kinds of office actions (`org.created`, `key.revoked`, …) need no entry here: `info` derives STAFF for them
KINDS: Final[Mapping[str, KindInfo]] = {
    MESSAGE_ACCEPTED: KindInfo(MESSAGE, "the organisation took responsibility for the message"),
    MESSAGE_RETRACTED: KindInfo(MESSAGE, "the sender took the message back"),
    MESSAGE_EXPIRED: KindInfo(MESSAGE, "the message expired"),
    MESSAGE_RESENT: KindInfo(STAFF, "the message was sent again, as a new one"),
    MESSAGE_DISPOSED: KindInfo(MESSAGE, "the message's content was disposed of"),
    MESSAGE_IGNORED: KindInfo(STAFF, "an incoming message was ignored, with this reason"),
    REPORT_RECEIVED: KindInfo(STAFF, "a report about mail in a domain's name came in, and was kept"),
    BOUNCE_RECEIVED: KindInfo(STAFF, "a report about a message of ours came back: a bounce, or a complaint"),
    UNSUBSCRIBED: KindInfo(STAFF, "a recipient unsubscribed by the link in a message"),
    SENDER_REFUSED: KindInfo(STAFF, "a submission was refused: its sender address is not the submitter's to use"),
    FORWARD_RETURNED: KindInfo(STAFF, "a report about a forwarded message came back; its address was ours"),
    GATEWAY_RETURNED: KindInfo(STAFF, "a test message came back through a connection to a mail system"),
    DELIVERY_QUEUED: KindInfo(DELIVERY, "a way of protection was decided and the delivery was queued"),
    DELIVERY_HELD: KindInfo(DELIVERY, "the delivery was held"),
    DELIVERY_REFUSED: KindInfo(DELIVERY, "the delivery was refused"),
    DELIVERY_RELEASED: KindInfo(DELIVERY, "a person released the delivery"),
    DELIVERY_INSPECTED: KindInfo(DELIVERY, "what the message contains was looked at, because a rule asks for it"),
    DELIVERY_APPROVED: KindInfo(DELIVERY, "a person approved the delivery; another must too"),
    DELIVERY_TURNED_DOWN: KindInfo(DELIVERY, "a person refused the delivery; the sender is told"),
    DELIVERY_TIME_OVER: KindInfo(DELIVERY, "the delivery had waited for a person as long as the rules allow"),
    DELIVERY_ACCESS_AGREED: KindInfo(DELIVERY, "a person gave the delivery the access code it waited for"),
    DELIVERY_RETRIED: KindInfo(DELIVERY, "a person asked for another attempt at once"),
    DELIVERY_RETRACTED: KindInfo(DELIVERY, "the delivery was taken back"),
    DELIVERY_PLAN_CHANGED: KindInfo(DELIVERY, "the decision at the attempt differed from the one at the door"),
    #: of an attempt that begins with the acceptance `delivery.queued` says so (fact `attempt`)
    DELIVERY_ATTEMPTED: KindInfo(DELIVERY, "an attempt began"),
    DELIVERY_METHOD_CHANGED: KindInfo(DELIVERY, "the method could not give what was required; the next one was taken"),
    DELIVERY_DEFERRED: KindInfo(DELIVERY, "the attempt did not succeed; it will be repeated"),
    DELIVERY_SENT: KindInfo(DELIVERY, "the recipient's server accepted the message"),
    DELIVERY_DEPOSITED: KindInfo(DELIVERY, "the message was laid into the secure portal"),
    DELIVERY_UNCERTAIN: KindInfo(
        DELIVERY, "the connection ended before the server's final answer; it may have arrived"
    ),
    DELIVERY_FAILED: KindInfo(DELIVERY, "the delivery failed for good"),
    DELIVERY_HELD_BACK: KindInfo(DELIVERY, "the delivery was put back: its way is closed for now; no attempt was made"),
    PROVIDER_ASKED: KindInfo(STAFF, "a provider's reply asked for less mail; that holds for a time"),
    DELIVERY_TESTED: KindInfo(DELIVERY, "a test ended: all was carried out up to the wire, and nothing was sent"),
    DELIVERY_BOUNCED: KindInfo(DELIVERY, "a report of non-delivery came back"),
    DELIVERY_COMPLAINED: KindInfo(DELIVERY, "the recipient's provider passed on a complaint about the message"),
    DELIVERY_REPORTED: KindInfo(DELIVERY, "the next mail system reported how the message went on there"),
    PORTAL_NOTIFIED: KindInfo(PORTAL, "the recipient was told that a message waits in the portal"),
    PORTAL_CODE_SENT: KindInfo(PORTAL, "a one-time code was sent to the recipient's address"),
    PORTAL_ACCESS_FAILED: KindInfo(PORTAL, "someone tried to open the message and failed"),
    PORTAL_LOCKED: KindInfo(PORTAL, "the message was locked after failed tries"),
    PORTAL_OPENED: KindInfo(PORTAL, "a person who passed the access check opened the message in the portal"),
    PORTAL_VIEWED: KindInfo(PORTAL, "the message was shown again in the portal"),
    PORTAL_DOWNLOADED: KindInfo(PORTAL, "an attachment was downloaded in the portal"),
    PORTAL_REPLIED: KindInfo(PORTAL, "the recipient answered in the portal"),
    PORTAL_EXPIRED: KindInfo(PORTAL, "the message expired in the portal"),
    PORTAL_LISTED: KindInfo(STAFF, "a recipient saw the list of their messages in the portal"),
    PORTAL_HELP_ASKED: KindInfo(PORTAL, "someone said that they could not open the message; the sender was told"),
    PORTAL_DISOWNED: KindInfo(PORTAL, "someone said that the message is not for them; the sender was told"),
    PORTAL_DELETED: KindInfo(PORTAL, "the recipient deleted the message from the portal"),
    PORTAL_NOTICE_FAILED: KindInfo(PORTAL, "a notice or code about the message could not be delivered"),
    PORTAL_REPLY_FAILED: KindInfo(PORTAL, "the answer written in the portal could not be delivered to the sender"),
    TRACKING_OPENED: KindInfo(TRACKING, "the picture of a watched copy was fetched, by a person or a machine"),
    TRACKING_CLICKED: KindInfo(TRACKING, "a link of a watched copy was followed, by a person or a machine"),
    TRACKING_REJUDGED: KindInfo(TRACKING, "what came later changed who opened a copy or followed its links"),
    DESTINATION_WEAKENED: KindInfo(
        STAFF, "the recipient's side lost protection it had, or its mail servers moved in unsigned DNS"
    ),
    DESTINATION_CERTIFICATE_ENDING: KindInfo(STAFF, "a certificate of the recipient's side nears its end"),
    KEY_ENDING: KindInfo(STAFF, "a recipient's certificate that is in use nears its end"),
    OWN_KEY_ENDING: KindInfo(STAFF, "a key of the organisation's own that is in use nears its end"),
    AUTHORITY_ENDING: KindInfo(STAFF, "the organisation's own certification authority nears its end"),
    KEY_FOUND: KindInfo(STAFF, "a recipient's key was found"),
    KEY_WITHDRAWN: KindInfo(STAFF, "a recipient took back a key they had uploaded"),
    MESSAGE_VIEWED: KindInfo(STAFF, "a member of staff looked at the message"),
    MESSAGE_LISTED: KindInfo(STAFF, "a member of staff saw the message in a list"),
    MESSAGE_SEARCHED: KindInfo(STAFF, "a member of staff searched messages"),
    PROOF_EXPORTED: KindInfo(STAFF, "a proof was downloaded"),
    EVENTS_OPENED: KindInfo(STAFF, "what is personal of events was shown"),
    PREVIEW_ASKED: KindInfo(STAFF, "a preview of protection was asked for"),
    CLOCK_STATE: KindInfo(HOUSE, "the state of the clock was recorded"),
    HOUSE_STARTED: KindInfo(HOUSE, "a process started"),
    HOUSE_STOPPED: KindInfo(HOUSE, "a process stopped"),
    CHECKPOINT_MAILED: KindInfo(HOUSE, "a checkpoint was mailed to the auditor"),
    EVENTS_DISPOSED: KindInfo(STAFF, "events past their retention were disposed of; their hashes stay"),
    LOG_KEY_INTRODUCED: KindInfo(STAFF, "a new key of the log was introduced; from here on it signs"),
    KEYS_REWRAPPED: KindInfo(HOUSE, "every key is wrapped by the newest master key"),
    KEYS_PUT_BACK: KindInfo(HOUSE, "keys stand under a former master key again, after every key was brought out of it"),
    COLD_CHANGED: KindInfo(HOUSE, "the cold store of this installation was chosen, or left"),
    NETWORKS_CHANGED: KindInfo(HOUSE, "a network was named, for all of this installation, or is not known any more"),
    BODY_COLD: KindInfo(STAFF, "the message's ciphertext was moved to the cold store; its key stayed here"),
    BODY_BACK: KindInfo(STAFF, "the message's ciphertext was brought back from the cold store"),
    BODY_COLD_DELETED: KindInfo(STAFF, "the message's ciphertext was deleted from the cold store"),
    HOUSE_RESTORED: KindInfo(HOUSE, "the system was restored from a backup; what came after that backup is not here"),
}

#: facts that name the keys a message left with
RECIPIENT_KEY, SIGNING_KEY, OPENING_KEY = "recipient-key", "signing-key", "opening-key"

#: names of facts; values are words, codes and numbers as text, never anything personal
FACTS: Final = frozenset({
    "access",  # portal: code | question | mailed-code; delivery.access-agreed: the first two
    "achieved",  # assurance label reached
    "count",  # how many a member of staff saw in a list; never a number of recipients
    "asked-methods",  # delivery.released, delivery.approved: the methods a person allowed, with spaces between;
    # message.accepted: those its sender allowed
    "asked-minimum",  # the same: the assurance label that was asked for
    "answers",  # how many a recipient saw in the list of the portal; never a number of recipients
    "attempt",  # number, from 1
    "bounce",  # delivery.*: why it was refused (rfc.bounces.MEANINGS)
    "bounce-class",  # the same: hard | soft | block | admin | undetermined
    "cause",  # suppression.*: tenancy.actions.suppression.REASONS
    "scope",  # suppression.*: which mail is kept back
    "backup-at",  # house.restored: the moment the backup shows, RFC 3339
    "cipher",  # TLS cipher suite
    "clock",  # synchronised | unsynchronised | unknown (ground.timesync)
    "code",  # SMTP reply code
    "content",  # delivery.inspected: level of policy.content
    "exception",  # delivery.inspected: name of the organisation's exception by which its texts were not read
    "malware",  # delivery.inspected: what the scanner said
    "tags",  # delivery.inspected: those that rules give for its content, with spaces between
    "clicked",  # tracking.*: the verdict the copy counts by, of the best of its hits (tracking.types.Ruling)
    "days",  # keyring.{key,own-key,authority}-ending, destination.certificate-ending: days left
    "dane",  # yes | no | unknown
    "data-class",
    "arc",  # mail that came by MX with ARC seals: pass | fail | temperror; it decides nothing (RFC 8617)
    "dkim",  # mail that came by MX: pass | fail | policy | permerror | temperror | none
    "dmarc",  # the same: pass | fail | none | temperror | permerror
    "dns-signed",  # yes | no | unknown
    "enhanced",  # RFC 3463 code
    "error-us",  # clock.state: greatest error the kernel admits
    "gateway",  # id of the connection it came by, or went back through
    "forwarded",  # message.accepted: yes, where a mailbox of the organisation forwards somebody's mail
    "from-method",  # delivery.method-changed
    "held-by",  # delivery.held-back: suspension | rate | warm-up | connections
    "source-address",  # delivery.*: the address it left from, where that is not the house's own
    "made-by",  # redirect | copy: a delivery that a rule made at the door
    "made-by-rule",  # id of that rule
    "key",  # id of an API key or credential acted on; orgkey.*: purpose of the organisation's key
    "log-key",  # log.key-introduced: the key that signs from here on (C2SP verifier key)
    "log-key-before",  # the same: the key that signs the checkpoint this event ends
    "method",  # tls | smime | openpgp | portal
    "mta-sts",  # none | testing | enforce | unknown
    "notice",  # portal.notice-failed: what the mail was about
    "opened",  # mail for a tenant: decrypted | signed, or why it does not open; tracking.*: as `clicked`, of all hits
    OPENING_KEY,  # the same: id of the organisation's own key that opened it
    "signature",  # the same: none | valid | invalid | unknown
    "origin",
    "provider",  # delivery.*: group of the mail servers it went to; those of pace.providers.TABLE alone
    "peer-name",  # yes | no | unknown: the certificate's name fits
    "purpose",
    SIGNING_KEY,  # delivery.*: id of the organisation's own key that signed it
    RECIPIENT_KEY,  # delivery.*: id of the recipient's key it was encrypted to
    "repeats",  # BI-023: id of the message this one repeats
    "reported",  # delivery.reported: delayed | delivered | relayed | expanded (RFC 3464 2.3.3)
    "required",  # assurance label required
    "resends",  # message.accepted: id of the message whose content it sends again
    "requiretls",  # message.accepted: yes, where the submitter asked for it at every hop (RFC 8689)
    "rewrapped",  # keys.rewrapped: how many keys were
    "former",  # keys.put-back: how many stand under a former master key
    "rule",  # rule id
    "size",  # bytes
    "template",  # message.accepted: id of the template it was made from
    "test",  # message.accepted: yes, where it is carried out up to the wire and not sent
    "job",  # job.*: jobs.types.Kind
    "source",  # keyring.*: where a recipient's key came from (keyring.words.SOURCES); suppression.*: its SOURCES
    "spf",  # mail that came by MX: the words of RFC 7208
    "store",  # cold.store-changed: host and bucket
    "network",  # house.networks-changed: a scanner's, an office's …; never of who reads
    "means",  # the same: what it is said to be (engagement.types.MEANINGS); "": not known any more
    "stage",  # queue.types.Stage
    "state",  # delivery state after the event
    "times",  # sender.refused: how many refusals this event stands for
    "master",  # keys.rewrapped, keys.put-back: version of the master key
    "to",  # message.ignored: notice | portal | reports, which of our own addresses it came to
    "tracked",  # delivery.sent: what the copy was marked with: opens, clicks, or both with a space between
    "link",  # tracking.*: number of the link in the message; 0: the hidden one
    "verdict",  # tracking.*: human | automated | undetermined
    "verdict-before",  # tracking.rejudged: what it was called before
    "confidence",  # tracking.*: that the verdict is right, in hundredths
    "rules",  # tracking.*: version of the rules that judged
    "tls",  # TLSv1.2 | TLSv1.3 | none
    "tries-until",  # delivery.reported: until when the other system says that it tries, RFC 3339
    "version",  # orgkey.*: of the organisation's key; template.*, message.accepted: of the template
    "serves-from",  # orgkey.rotated: the moment from which the new version serves, RFC 3339
})  # fmt: skip

#: commitments a proof opens; every other stays closed
OPENED: Final = frozenset({"submitted", "mail", "recipient", "sent", "deposit", "wire"})

#: openings the journal takes out before an event is kept: their commitments stay closed for ever
TAKEN_OUT: Final = frozenset({"record"})

#: the log of what belongs to no organisation (clock, starts and stops)
HOUSE_ORG: Final = bytes(16)


def info(kind: str) -> KindInfo:
    """The entry of a kind; an unlisted one (an office action, or a kind of a later version) is a staff act."""
    return KINDS.get(kind) or KindInfo(STAFF, kind.replace(".", " ").replace("-", " "))


def make(
    kind: str,
    *,
    id: str,
    org: str,
    at: int,
    actor: tuple[str, str],
    on: Sequence[str],
    values: Mapping[str, bytes] | None = None,
    facts: Mapping[str, str] | None = None,
    result: str = "ok",
    cause: str = "",
    policy: str = "",
    category: str = "",
) -> tuple[Draft, dict[str, tuple[bytes, bytes]]]:
    """The draft of an event and the openings of its commitments. `id`, `org`, `on`: UUID text; `at`: `clock.now()`;
    `values`: what to commit to (join the dicts of the `commit_*` functions with `|`)."""
    digests, openings = commit(values) if values else ({}, {})
    draft = Draft(
        id, org, at, kind, EventActor(*actor), list(on), result, cause, policy, category, digests, dict(facts or {})
    )
    return draft, openings
