"""The words of destinations: how one stands, what changed, what failed. Pure; no name of anybody."""

from typing import Final

import msgspec

from carepost.policy.types import Assurance
from carepost.posture.types import Side


class Mark(msgspec.Struct, frozen=True):
    word: str
    #: good | wait | bad | plain
    tone: str


#: assurance -> what it means here
_ASSURANCE: Final = {
    "NONE": "takes mail only without encryption",
    "ENCRYPTED": "encrypts, but nobody can be sure who is at the other end",
    "VERIFIED": "encrypts, and its certificate fits its name",
    "AUTHENTICATED": "encrypts, and is proved to be the domain’s own server",
}
#: basis of an assessment -> by what
BASES: Final = {
    "pinned": "pinned by your organisation",
    "vouched": "your own mail system; your people attest that it sends on by verified TLS",
    "dane": "its key is published in signed DNS (DANE)",
    "mta-sts": "its domain requires it (MTA-STS)",
    "signed-mx": "the domain names it in signed DNS",
    "own-domain": "its certificate names the recipient’s own domain",
    "unsigned-mx": "a known authority vouches for its name",
}
#: fault -> what is amiss
FAULTS: Final = {
    "no-tls": "it offers no encryption",
    "starttls-refused": "it offered encryption and then refused it",
    "starttls-injected": "somebody put text into the start of the encrypted connection",
    "tls-failed": "it offers no encryption that is safe today",
    "tls-timeout": "it did not answer while encryption was set up",
    "tls-lost": "its domain has lost encryption it had",
    "mx-moved": "its domain has just moved its mail servers; that is watched for a day",
    "absent": "it showed no certificate",
    "unreadable": "its certificate cannot be read",
    "expired": "its certificate has expired",
    "not-yet-valid": "its certificate is not valid yet",
    "self-signed": "nobody vouches for its certificate",
    "unknown-issuer": "its certificate comes from an unknown authority",
    "wrong-use": "its certificate is not made for servers",
    "no-name": "its certificate names no server",
    "revoked": "its certificate was revoked",
    "wrong-name": "its certificate belongs to another server",
    "pin-mismatch": "it does not hold the key you pinned",
    "dane-mismatch": "it does not hold the key its domain publishes (DANE)",
    "dane-unusable": "the key its domain publishes (DANE) cannot be checked",
    "tlsa-failure": "the key its domain publishes (DANE) could not be looked up",
    "mta-sts-mx": "its domain’s policy (MTA-STS) does not name it",
}
#: result type of RFC 8460 4.3 -> what happened
RESULTS: Final = {
    "starttls-not-supported": "no encryption was offered",
    "certificate-host-mismatch": "the certificate belonged to another server",
    "certificate-expired": "the certificate had expired",
    "certificate-not-trusted": "nobody trusted vouched for the certificate",
    "validation-failure": "another check of the connection failed",
    "tlsa-invalid": "the server did not hold the published key (DANE)",
    "dnssec-invalid": "the published key (DANE) could not be looked up safely",
    "dane-required": "a published key (DANE) was required and not there",
    "sts-policy-fetch-error": "the domain’s policy (MTA-STS) could not be fetched",
    "sts-policy-invalid": "the domain’s policy (MTA-STS) could not be read",
    "sts-webpki-invalid": "the server of the domain’s policy (MTA-STS) showed a bad certificate",
}
_MODES: Final = {
    "none": "none",
    "testing": "testing (reported, not enforced)",
    "enforce": "enforce",
    "unknown": "not known",
}
_HEADINGS: Final = {
    "first": "First met",
    "mx": "Mail servers changed",
    "mx-moved": "Mail servers moved",
    "tls-lost": "Encryption was lost",
    "tls-back": "Encryption is back",
    "mta-sts": "MTA-STS mode changed",
    "policy": "New MTA-STS policy",
    "dane": "DANE changed",
    "host": "New mail server met",
    "assurance": "Protection changed",
    "tls": "TLS version changed",
    "certificate": "Certificate renewed",
    "key": "Certificate with a new key",
    "tlsa": "Published keys (DANE) changed",
}


def heading(kind: str) -> str:
    return _HEADINGS.get(kind, kind)


def sentence(kind: str, host: str, old: str, new: str) -> str:
    """One change in a sentence."""
    what = host or "the domain"
    match kind:
        case "first":
            return f"Mail was taken there for the first time. Mail servers: {new or 'none met'}."
        case "mx":
            return f"The domain now names {new or 'no server'}; before: {old}."
        case "mx-moved":
            return (
                f"The domain now names {new}; before: {old}. Its DNS is not signed, so the new servers are believed "
                "only after a day, and mail takes another safe way until then."
            )
        case "tls-lost":
            return "Its servers offered encryption before and do not any more. Mail takes another safe way, or waits."
        case "tls-back":
            return "Its servers have offered encryption again for a day."
        case "mta-sts":
            return f"The domain’s MTA-STS mode is now {mode(new)}; before: {mode(old)}."
        case "policy":
            return f"Policy {new} replaced policy {old}."
        case "dane":
            return "The domain now publishes keys (DANE)." if new == "yes" else "The domain publishes no keys any more."
        case "host":
            return f"{what}: {met(new)}."
        case "assurance":
            return f"{what}: now it {met(new)}; before it {met(old)}."
        case "tls":
            return f"{what}: {new}, before {old}."
        case "certificate" | "key":
            kept = "The key is the same." if kind == "certificate" else "The key is another one."
            return f"{what}: {_certificate(new)}. Before: {_certificate(old)}. {kept}"
        case "tlsa":
            return f"{what}: published keys are now {new or 'none'}; before: {old or 'none'}."
    return ""


def met(word: str) -> str:
    """`VERIFIED`, or `ENCRYPTED expired`, as `changes` writes it."""
    assurance, _, fault = word.partition(" ")
    said = _ASSURANCE.get(assurance, assurance)
    return f"{said} ({FAULTS.get(fault, fault)})" if fault and fault != "no-tls" else said


def side(one: Side) -> str:
    """How a host stands, and by what."""
    said = _ASSURANCE.get(one.assurance.name, "")
    if one.fault == "no-tls":
        return said
    because = FAULTS.get(one.fault, one.fault) if one.fault else BASES.get(one.basis, "")
    return f"{said}: {because}" if because else said


def mark(assurance: int | None, weakened: str) -> Mark:
    if weakened == "tls-lost":
        return Mark("Lost encryption", "bad")
    if weakened:
        return Mark("Has just moved", "bad")
    if assurance is None:
        return Mark("Not met yet", "plain")
    if assurance >= Assurance.AUTHENTICATED:
        return Mark("Authenticated", "good")
    if assurance >= Assurance.VERIFIED:
        return Mark("Verified", "good")
    return Mark("Encrypted only", "wait") if assurance >= Assurance.ENCRYPTED else Mark("No encryption", "bad")


def mode(word: str) -> str:
    return _MODES.get(word, word)


def _certificate(text: str) -> str:
    parts = text.split(" ", 2)
    issuer = f" by {parts[2]}" if len(parts) > 2 else ""
    return f"certificate {parts[0]}…{issuer}, until {parts[1]}" if len(parts) > 1 else text
