"""What the header of a message says and what of it can be proved: its trail, its signatures, SPF and DMARC asked anew.

For a person who wonders whether a mail is what it claims to be. Every sentence says what it rests on, and what follows
from nothing is said as well: a header can be written by anybody below the last server one trusts."""

import collections
import ipaddress
from typing import Final

import msgspec

from carepost.crypto import sender
from carepost.crypto.dkim_verify import Signed
from carepost.crypto.sender import Peer, Proved
from carepost.rfc import authres, message, trail
from carepost.rfc.asking import Course
from carepost.rfc.errors import RfcError
from carepost.rfc.message import Message
from carepost.rfc.trail import Hop

#: octets of a message that are examined
MOST: Final = 25_000_000
#: seconds between two hops that are worth a word, and by which clocks may differ
SLOW: Final = 600
SKEW: Final = 120


class Finding(msgspec.Struct, frozen=True):
    """`tone`: good | wait | bad | plain. `words`: one sentence or two."""

    tone: str
    heading: str
    words: str


class Examined(msgspec.Struct, frozen=True):
    """`handed`: the hop whose client address SPF was asked about; None where the trail names none. `claims`: the
    results earlier servers wrote: (who says so, what they say). `proved` is None where DNS was not asked."""

    author: str
    author_name: str
    subject: str
    message_id: str
    date: int
    reply_to: str
    return_path: str
    hops: tuple[Hop, ...]
    #: Received fields there are; of more than `trail.MOST`, `hops` has the first and the last
    lines: int
    handed: Hop | None
    claims: tuple[tuple[str, str], ...]
    proved: Proved
    findings: tuple[Finding, ...]
    body: bool
    raw: bytes


def clean(given: bytes) -> bytes:
    """What somebody pasted or saved, as a message: CRLF, without empty lines and an mbox line before it."""
    raw = given.lstrip(b"\r\n \t\xef\xbb\xbf")
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    if raw.count(b"\n") != raw.count(b"\r\n") or raw.count(b"\r") != raw.count(b"\r\n"):
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"


def examine(given: bytes, now_s: int) -> Course[Examined]:
    """Raises RfcError (a sentence) where the header has no single reading."""
    raw = clean(given)
    read = message.read(raw, most_received=message.MAX_FIELDS)
    lines = trail.count(read)
    hops = trail.read(read)
    handed = _handed(hops)
    reverse = (read.get("return-path") or "").strip("<> \t")[:320]
    peer = Peer(handed.address, handed.named.strip("[]"), reverse) if handed is not None else Peer()
    authors = tuple(mailbox.address for mailbox in read.from_)
    proved = yield from sender.prove(raw, authors, peer, now_s)
    body = read.header_end < len(raw) and bool(raw[read.header_end :].strip())
    return Examined(
        read.from_[0].address, read.from_[0].name, read.subject, read.message_id, trail.moment(read.date_raw),
        _first(read, "reply-to"), reverse, hops, lines, handed, _claims(read), proved,
        (*_looped(hops, lines), *_findings(read, hops, handed, proved, body)), body, raw,
    )  # fmt: skip


def _first(read: Message, name: str) -> str:
    try:
        found = read.mailboxes(name)
    except RfcError:
        return ""
    return found[0].address if found else ""


def _handed(hops: tuple[Hop, ...]) -> Hop | None:
    """The newest hop that came from a public address: where the mail entered the side that received it."""
    for hop in reversed(hops):
        if not hop.address or not (seen := ipaddress.ip_address(hop.address)).is_global:
            continue
        # servers of one provider speak to each other by public addresses of IPv6
        if seen.version == 4 or _side(hop.named) != _side(hop.by):
            return hop
    # a sandbox and a laboratory have no public addresses
    return next((hop for hop in reversed(hops) if hop.address), None)


def _side(host: str) -> str:
    return ".".join(host.lower().rstrip(".").split(".")[-2:])


def _claims(read: Message) -> tuple[tuple[str, str], ...]:
    fields = [f for f in read.fields if f.name == authres.NAME][:10]
    return tuple(
        (authres.owner(read.text(f)) or "nobody named", read.text(f).partition(";")[2].strip()) for f in fields
    )


def _findings(read: Message, hops: tuple[Hop, ...], handed: Hop | None, proved: Proved, body: bool) -> list[Finding]:
    found = [_of_author(proved, body)]
    found += _of_signatures(proved.dkim, body)
    found.append(_of_spf(proved, handed))
    found += _of_trail(hops)
    answer = _first(read, "reply-to")
    if answer and answer.rpartition("@")[2] != proved.author:
        words = f"An answer would go to {answer}, not to the address in From. Ask why before you answer."
        found.append(Finding("wait", "Answers go elsewhere", words))
    found.append(
        Finding(
            "plain",
            "What a header cannot show",
            "Nothing here shows who sat at the keyboard, whether the mailbox was taken over, or that the mail was "
            "read. Every line below the first server you trust may have been invented.",
        )
    )
    return found


def _of_author(proved: Proved, body: bool) -> Finding:
    verdict, who = proved.dmarc, proved.author
    if verdict is None:
        return Finding("bad", "Several senders", "From names addresses of several domains, so none of them is proved.")
    way = {"dkim": "a signature that holds today", "spf": "the address it was handed over from"}.get(verdict.by, "")
    rests = "" if verdict.by == "dkim" else " That rests on the Received line being genuine."
    if verdict.result == "pass":
        return Finding("good", "The sender’s domain is proved", f"{who} is proved by {way} (DMARC).{rests}")
    if verdict.aligned:
        return Finding(
            "good", "The sender’s domain is proved", f"{who} publishes no DMARC policy, but is proved by {way}.{rests}"
        )
    if verdict.result == "temperror":
        return Finding(
            "wait", "Not known now", f"DNS did not answer about {who}, so nothing can be concluded. Try again later."
        )
    if not body and proved.dkim:
        words = "Only the header was given, so no signature could be checked. Give the whole message, best as a file."
        return Finding("wait", "The sender’s domain is not proved", words)
    if verdict.result == "none":
        return Finding(
            "wait", "The sender’s domain is not proved",
            f"Nothing proves that {who} sent this, and {who} does not say what its mail looks like (no DMARC).",
        )  # fmt: skip
    asks = {"reject": "refused", "quarantine": "treated as suspicious"}.get(verdict.asked, "only reported")
    return Finding(
        "bad", "The sender’s domain is not proved",
        f"Nothing proves that {who} sent this; {who} asks that such mail be {asks}. A mailing list or a forward can "
        "cause this too, and so can an old mail whose key was taken away since.",
    )  # fmt: skip


_REASONS: Final = {
    "": "holds",
    "weak-key": "holds, with a short key (under 2,048 bits)",
    "body-changed": "does not hold: the header is as it was signed, the text is not",
    "header-changed": "does not hold: a signed header field was changed",
    "changed": "does not hold: header and text, or the key, are not those of the signing",
    "expired": "has expired",
    "future": "was made in the future by our clock",
    "length": "covers only the beginning of the text, so it counts as none",
    "algorithm": "is of a kind nobody should accept any more",
    "key-short": "was made with a key too short to prove anything",
    "key-long": "has a key larger than is read here",
    "key-missing": "cannot be checked: its key is not in DNS (any more)",
    "key-unreachable": "cannot be checked now: DNS did not answer",
    "revoked": "cannot be checked: its key was taken back",
}


def reason(one: Signed) -> str:
    """Completes "the signature of clinic.test …"."""
    return _REASONS.get(one.reason, "is not well formed")


def _of_signatures(signed: tuple[Signed, ...], body: bool) -> list[Finding]:
    if not signed:
        words = "Nobody signed the mail (DKIM), so nothing in it is protected against change."
        return [Finding("plain", "No signature", words)]
    found = []
    for one in signed:
        good = one.result == "pass"
        unknown = one.result == "temperror" or (not body and one.reason in ("body-changed", "changed"))
        tone = "good" if good else "wait" if unknown else "bad"
        words = f"The signature of {one.domain or 'an unnamed domain'} {reason(one)}."
        if good:
            words += " The signed fields and the text are as they left that domain"
            words += "." if one.oversigned else ", but a second From could have been added without breaking it."
        elif not body and one.reason in ("body-changed", "changed"):
            words += " Only the header was given here; give the whole message, best as a file, to check it."
        found.append(Finding(tone, "Signature holds" if good else "Signature does not help", words))
    return found


def _of_spf(proved: Proved, handed: Hop | None) -> Finding:
    if handed is None:
        words = "The trail names no address that handed the mail over, so SPF cannot be asked."
        return Finding("plain", "Not known where it came from", words)
    where = f"If the line of {handed.by or 'the receiving server'} is genuine, {handed.address} handed the mail over"
    domain = proved.spf.domain or "the sender"
    words = {
        "pass": f"{where}, which {domain} says may send for it. That speaks of the envelope, not of From.",
        "fail": f"{where}, which {domain} says may not send for it.",
        "softfail": f"{where}, which {domain} says probably may not send for it.",
        "neutral": f"{where}; {domain} does not say whether it may.",
        "none": f"{where}; {domain} does not say who may send for it (no SPF).",
        "temperror": f"{where}; DNS did not answer about {domain}.",
        "permerror": f"{where}; the SPF record of {domain} is not usable.",
    }[proved.spf.result]
    tone = {"pass": "good", "fail": "bad", "softfail": "wait"}.get(proved.spf.result, "plain")
    return Finding(tone, f"SPF: {proved.spf.result}", words)


def _looped(hops: tuple[Hop, ...], lines: int) -> list[Finding]:
    """Servers count the lines too, and refuse it at about a hundred (RFC 5321 6.3)."""
    if lines <= message.MAX_RECEIVED:
        return []
    by, times = (
        collections.Counter(hop.by for hop in hops if hop.by).most_common(1)[0]
        if any(hop.by for hop in hops)
        else ("", 0)
    )
    often = f" {by} stands in {times} of the {len(hops)} that were read." if times > 1 else ""
    words = f"It has {lines} Received lines, so a server sends it back to where it came from, again and again.{often}"
    return [Finding("bad", "A mail loop", words)]


def _of_trail(hops: tuple[Hop, ...]) -> list[Finding]:
    if not hops:
        words = "There is no Received line: the mail never passed a server, or the lines were taken away."
        return [Finding("wait", "No trail", words)]
    found = []
    slow = [hop for hop in hops if hop.delay is not None and hop.delay > SLOW]
    if slow:
        worst = max(slow, key=lambda hop: hop.delay or 0)
        words = f"It waited longest before {worst.by or 'a server'}: {(worst.delay or 0) // 60} minutes."
        found.append(Finding("wait", "It was held up", words))
    if any(hop.delay is not None and hop.delay < -SKEW for hop in hops):
        words = "A line is dated before the one it follows: a clock is wrong, or a line was invented."
        found.append(Finding("wait", "Times do not follow", words))
    clear = [hop.by or "a server" for hop in hops if hop.encrypted is False]
    if clear:
        words = f"By its own line {', '.join(clear[:3])} took the mail without encryption."
        found.append(Finding("wait", "Part of the way was in clear", words))
    return found
