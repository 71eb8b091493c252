"""The values that events commit to: what a holder of the message, or of one opening, can compare (DESIGN 4).

A commitment is SHA-256(salt ‖ value) in the event's bytes; salt and value are its opening, sealed beside the event.
Which kind carries which commitment stands in `kinds`."""

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from carepost.crypto import digest, dkim

#: header fields whose digests `mail` holds, beside body and message-id
MAIL_FIELDS: Final = ("from", "to", "date", "subject")

_MAIL_ORDER: Final = tuple(name.encode() for name in MAIL_FIELDS)
_BCC: Final = re.compile(rb"(?im)^(?:resent-)?bcc[ \t]*:.*(?:\r?\n[ \t].*)*(?:\r?\n|\Z)")


class Wire(msgspec.Struct, frozen=True):
    """The value of the commitment `wire`: hashes are hexadecimal SHA-256, "" where there was none."""

    mx: str = ""
    address: str = ""
    reply: str = ""
    chain: list[str] = []
    tlsa: str = ""
    mta_sts: str = ""


def commit_message(raw: bytes, body_hash: bytes | None = None, client: str = "") -> dict[str, bytes]:
    """For message.accepted: `submitted`, `mail`, and `client` when given. `raw`: the message as submitted, CRLF.
    `body_hash`: `dkim.body_hash_relaxed(raw)` where the caller has it already."""
    values = {"submitted": submitted_digest(raw), "mail": mail_value(raw, body_hash)}
    if client:
        values["client"] = client.encode()
    return values


def commit_recipient(address: str) -> dict[str, bytes]:
    """For delivery.queued, delivery.held and delivery.refused at the door."""
    return {"recipient": address.encode()}


def commit_sent(data: bytes, body_hash: bytes | None = None, mail: bytes = b"") -> dict[str, bytes]:
    """For delivery.sent and delivery.uncertain. `data`: `Sealed.data`, what went over the wire before dot-stuffing.
    `mail`: `mail_value(data)`, where the caller has it already."""
    return {"sent": digest.sha256(data), "mail": mail or mail_value(data, body_hash)}


def commit_deposit(raw: bytes) -> dict[str, bytes]:
    """For delivery.deposited. `raw`: the message as the portal keeps it."""
    return {"deposit": digest.sha256(raw), "mail": mail_value(raw)}


def commit_wire(
    *,
    mx: str = "",
    address: str = "",
    reply: str = "",
    recipient: str = "",
    chain: Sequence[bytes] = (),
    tlsa: Sequence[bytes] = (),
    mta_sts: bytes = b"",
) -> dict[str, bytes]:
    """The remote side of an attempt. `mx`, `address`: host name and IP; `reply`: the server's final reply, in which
    every occurrence of `recipient` is replaced; `chain`: certificates in DER, leaf first; `tlsa`: TLSA rdata;
    `mta_sts`: the policy's text. Certificates, TLSA set and policy are committed by hash."""
    wire = Wire(
        mx=mx,
        address=address,
        reply=scrub(reply, recipient),
        chain=_fingerprints(tuple(chain)),
        tlsa=sha256(b"".join(sorted(len(r).to_bytes(2, "big") + r for r in tlsa))).hexdigest() if tlsa else "",
        mta_sts=sha256(mta_sts).hexdigest() if mta_sts else "",
    )
    return {"wire": msgspec.json.encode(wire)}


@lru_cache(maxsize=256)
def _fingerprints(chain: tuple[bytes, ...]) -> list[str]:
    """Of one server the same at each message; a tuple it has seen costs its comparison."""
    return [sha256(der).hexdigest() for der in chain]


def scrub(reply: str, recipient: str) -> str:
    """A server's reply without the recipient's address (RFC 5321 servers like to repeat it), in any letter case."""
    # most replies do not repeat it: no pattern is made for those
    if not recipient or recipient.rpartition("@")[0].lower() not in reply.lower():
        return reply
    reply = re.sub(re.escape(recipient), "[recipient]", reply, flags=re.IGNORECASE)
    local = recipient.rpartition("@")[0]
    # the bare local part too ("no mailbox here by the name of jane.roe"), when it is a word of its own
    return (
        re.sub(rf"(?<![\w.+-]){re.escape(local)}(?![\w+-])", "[recipient]", reply, flags=re.IGNORECASE)
        if local
        else reply
    )


def submitted_digest(raw: bytes) -> bytes:
    """SHA-256 of a message with its Bcc and Resent-Bcc fields taken out: who holds the rest cannot test guesses of a
    blind recipient against a proof."""
    header, _ = dkim.split(raw)
    if b"bcc" not in header.lower():
        return digest.sha256(raw)
    return digest.sha256(_BCC.sub(b"", header) + raw[len(header) :])


def mail_value(raw: bytes, body_hash: bytes | None = None, header: dkim.Canonical | None = None) -> bytes:
    """The value of the commitment `mail`: lines `<name> <64 hexadecimal digits>` for message-id, body, from, to, date,
    subject, in this order. With K = SHA-256("mail" ‖ 0 ‖ Message-ID value), the digest of message-id is
    SHA-256("message-id" ‖ 0 ‖ value) and every other SHA-256(K ‖ name ‖ 0 ‖ value).

    Field values are relaxed (RFC 6376 3.4.2), several of one name joined by 0; the body's value is its relaxed hash (32
    bytes). Keyed, so that who holds a proof without the mail cannot test guesses of a subject or of a short body.

    `header`: `dkim.canonical` of it, where the caller has it already."""
    found = (header if header is not None else dkim.canonical(dkim.split(raw)[0])).values
    body = body_hash if body_hash is not None else dkim.body_hash_relaxed(raw)
    message_id = b"\0".join(found.get(b"message-id", ()))
    values = [b"\0".join(found.get(name, ())) for name in _MAIL_ORDER]
    key = sha256(b"mail\0" + message_id).digest()
    lines = [
        "message-id " + sha256(b"message-id\0" + message_id).hexdigest(),
        "body " + sha256(key + b"body\0" + body).hexdigest(),
    ]
    for field, name, value in zip(MAIL_FIELDS, _MAIL_ORDER, values, strict=True):
        lines.append(f"{field} " + sha256(key + name + b"\0" + value).hexdigest())
    return "\n".join(lines).encode()
