"""What our own domains publish, beside what they should: SPF, DKIM, DMARC, TLS-RPT, MTA-STS, MX. A pure course of
questions to DNS (`rfc.asking`): the page asks them of an engine, a test answers them itself."""

import re
from collections.abc import Generator, Sequence
from typing import Final

import msgspec

from carepost.rfc.asking import Course, Found, Question, Record

GOOD, WAIT, BAD, PLAIN = "good", "wait", "bad", "plain"
_UNKNOWN: Final = "Not known now"
#: octets of an answer that are shown
_SHOWN: Final = 600


class Key(msgspec.Struct, frozen=True):
    """A DKIM key in use."""

    selector: str
    record: str


class Checked(msgspec.Struct, frozen=True):
    """`found`: what stands there now; `wanted`: what should, "" where that is not ours to say."""

    what: str
    name: str
    tone: str
    word: str
    text: str
    found: tuple[str, ...] = ()
    wanted: str = ""


def check(domain: str, keys: Sequence[Key], *, dmarc: str, tls: str) -> Course[list[Checked]]:
    """`dmarc`, `tls`: the records we propose."""
    found = [(yield from _spf(domain))]
    for key in keys:
        found.append((yield from _dkim(domain, key)))
    found.append((yield from _dmarc(domain, dmarc)))
    found.append((yield from _tls_reports(domain, tls)))
    found.append((yield from _mta_sts(domain)))
    found.append((yield from _mx(domain)))
    return found


def _ask(name: str) -> Generator[Question, Found, Found]:
    return (yield Question(Record.TXT, name))


def _texts(answer: Found, begins: str) -> tuple[str, ...]:
    texts = (text.decode("utf-8", "replace")[:_SHOWN] for text in answer.texts)
    return tuple(text for text in texts if text.lower().replace(" ", "").startswith(begins.lower()))


def _spf(domain: str) -> Generator[Question, Found, Checked]:
    what = "Who may send (SPF)"
    answer = yield from _ask(domain)
    found = tuple(text for text in _texts(answer, "v=spf1") if re.match(r"v=spf1( |$)", text, re.I))
    if answer.failed:
        return Checked(what, domain, PLAIN, _UNKNOWN, "The name servers did not answer.")
    if not found:
        text = "Receivers cannot tell which servers may send for this domain. Name those of this system."
        return Checked(what, domain, WAIT, "Missing", text, wanted="v=spf1 ip4:ADDRESS-OF-THIS-SYSTEM -all")
    if len(found) > 1:
        return Checked(what, domain, BAD, "Two records", "There must be one; receivers count two as broken.", found)
    if re.search(r"(^| )\+?all( |$)", found[0], re.I):
        return Checked(what, domain, BAD, "Allows everybody", "With “+all” anybody may send as this domain.", found)
    text = "It must allow the addresses this system sends from; the reports above say whether it does."
    return Checked(what, domain, GOOD, "Published", text, found)


def _dkim(domain: str, key: Key) -> Generator[Question, Found, Checked]:
    what, name = f"Our signature (DKIM, {key.selector})", f"{key.selector}._domainkey.{domain}"
    answer = yield from _ask(name)
    found = tuple(text.decode("utf-8", "replace")[:_SHOWN] for text in answer.texts)
    if answer.failed:
        return Checked(what, name, PLAIN, _UNKNOWN, "The name servers did not answer.")
    if not found:
        text = "Mail is signed, and receivers cannot check it: publish the key."
        return Checked(what, name, BAD, "Missing", text, wanted=key.record)
    if len(found) == 1 and _tag(answer.texts[0].decode("utf-8", "replace"), "p") == _tag(key.record, "p"):
        return Checked(what, name, GOOD, "Published", "It is the key this system signs with.", found)
    text = "Another key stands there: signatures of this system do not verify."
    return Checked(what, name, BAD, "Another key", text, found, key.record)


def _dmarc(domain: str, wanted: str) -> Generator[Question, Found, Checked]:
    what, name = "What receivers should do (DMARC)", f"_dmarc.{domain}"
    answer = yield from _ask(name)
    found = _texts(answer, "v=DMARC1")
    if answer.failed:
        return Checked(what, name, PLAIN, _UNKNOWN, "The name servers did not answer.")
    if not found:
        text = "Large mailbox providers put mail without it aside. Begin with p=none, read the reports, then raise it."
        return Checked(what, name, BAD, "Missing", text, wanted=wanted)
    if len(found) > 1:
        return Checked(what, name, BAD, "Two records", "There must be one; receivers pass over two.", found)
    policy = _tag(found[0], "p").lower()
    if policy in ("quarantine", "reject"):
        return Checked(what, name, GOOD, f"p={policy}", "Mail that is not proved to be yours is not delivered.", found)
    text = (
        "Reports only: whoever pretends to be you is still delivered. Raise it when the reports show all mail proved."
    )
    return Checked(what, name, WAIT, "p=none", text, found)


def _tls_reports(domain: str, wanted: str) -> Generator[Question, Found, Checked]:
    what, name = "Reports about encryption (TLS-RPT)", f"_smtp._tls.{domain}"
    answer = yield from _ask(name)
    found = _texts(answer, "v=TLSRPTv1")
    if answer.failed:
        return Checked(what, name, PLAIN, _UNKNOWN, "The name servers did not answer.")
    if len(found) == 1:
        return Checked(what, name, GOOD, "Published", "Others tell you when they cannot reach you encrypted.", found)
    text = "Without it nobody tells you when mail to you cannot be encrypted."
    return Checked(what, name, WAIT, "Two records" if found else "Missing", text, found, wanted)


def _mta_sts(domain: str) -> Generator[Question, Found, Checked]:
    what, name = "Encryption to you is required (MTA-STS)", f"_mta-sts.{domain}"
    answer = yield from _ask(name)
    found = _texts(answer, "v=STSv1")
    if answer.failed:
        return Checked(what, name, PLAIN, _UNKNOWN, "The name servers did not answer.")
    if len(found) == 1:
        text = f"Others require encryption to you, as https://mta-sts.{domain}/.well-known/mta-sts.txt says."
        return Checked(what, name, GOOD, "Published", text, found)
    text = "Others may deliver to you without proof of your server. Set up a policy where your mail is received."
    return Checked(what, name, WAIT, "Two records" if found else "Missing", text, found)


def _mx(domain: str) -> Generator[Question, Found, Checked]:
    what = "Where its mail is received (MX)"
    answer = yield Question(Record.MX, domain)
    if answer.failed:
        return Checked(what, domain, PLAIN, _UNKNOWN, "The name servers did not answer.")
    if not answer.names:
        text = "Answers and reports of failed delivery find no way back."
        return Checked(what, domain, BAD, "Missing", text)
    return Checked(what, domain, GOOD, "Published", "Answers and reports of failed delivery go there.", answer.names)


def _tag(record: str, name: str) -> str:
    for field in record.split(";"):
        key, _, value = field.partition("=")
        if key.strip() == name:
            return re.sub(r"\s", "", value)
    return ""
