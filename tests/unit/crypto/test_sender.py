"""SPF, DKIM and DMARC of one message together: what a sender cannot hide behind, and what nobody could ask (BI-041)."""

import pytest

from carepost.crypto import sender
from carepost.crypto.sender import Peer, Proved
from carepost.ground import clock
from carepost.rfc.asking import FAILED, Found, Question, Record, run
from tests.support.zone import Dns, Zone

pytestmark = pytest.mark.fast

NOW = clock.now() // 1_000_000
MAIL = b"From: nurse@clinic.test\r\nSubject: x\r\n\r\nbody\r\n"
POLICY: Zone = {"_dmarc.clinic.test": [("TXT", "v=DMARC1; p=reject")]}
#: a hundred questions, all of them allowed
GREEDY: Zone = {"evil.test": [("TXT", "v=spf1 " + " ".join(f"mx:m{n}.evil.test" for n in range(9)) + " -all")]} | {
    f"m{n}.evil.test": [("MX", f"h{n}-{m}.evil.test") for m in range(10)] for n in range(9)
} | {f"h{n}-{m}.evil.test": [("A", "192.0.2.99")] for n in range(9) for m in range(10)}  # fmt: skip


def proved(zone: Zone, reverse: str, fields: bytes = b"") -> tuple[Proved, set[Question]]:
    dns, known = Dns(zone), dict[Question, Found]()

    def answer(question: Question) -> Found:
        if question not in known:
            known[question] = FAILED if sender.beyond(known, question) else dns(question)
        return known[question]

    peer = Peer("192.0.2.1", "h.evil.test", reverse)
    return run(sender.prove(fields + MAIL, ("nurse@clinic.test",), peer, NOW), answer), set(dns.asked)


def test_a_sender_cannot_use_up_the_questions_about_who_he_says_he_is() -> None:
    selectors = b"".join(
        b"DKIM-Signature: v=1; a=rsa-sha256; d=evil.test; s=_dmarc.s%d; h=from; bh=AAAA; b=AAAA\r\n" % n
        for n in range(8)
    )
    found, asked = proved({**POLICY, **GREEDY}, "x@evil.test", selectors)
    assert len(asked) <= sender.QUESTIONS + sender.POLICY_QUESTIONS
    assert found.spf.result == "temperror"
    assert found.dmarc and (found.dmarc.result, found.dmarc.asked, found.aligned) == ("fail", "reject", False)


def test_past_the_last_question_nothing_is_learnt_which_is_not_that_nothing_is_there() -> None:
    selector = Question(Record.TXT, "_dmarc.s1._domainkey.evil.test")
    many = [Question(Record.A, f"h{n}.test") for n in range(sender.QUESTIONS)]
    assert not sender.beyond(many[:-1], many[-1]) and sender.beyond(many, Question(Record.A, "one.test"))
    assert sender.beyond(many, selector) and not sender.beyond(many, Question(Record.TXT, "_dmarc.clinic.test"))


@pytest.mark.parametrize(
    ("reverse", "word"),
    [("x@evil.test", "fail"), ("x@bounce.clinic.test", "temperror"), ("x@notclinic.test", "fail")],
)
def test_what_could_not_be_asked_counts_where_it_might_have_aligned(reverse: str, word: str) -> None:
    """RFC 9989 5.3.5: a stranger who breaks his own DNS is no less a stranger."""
    zone = {**POLICY, reverse.partition("@")[2]: [("TXT", "!")]}
    found, _ = proved(zone, reverse)
    assert (found.spf.result, found.dmarc_word) == ("temperror", word)


def test_signing_domains_likewise() -> None:
    for domain, word in ((b"evil.test", "fail"), (b"mail.clinic.test", "temperror")):
        field = b"DKIM-Signature: v=1; a=rsa-sha256; d=%b; s=s; h=from; bh=AAAA; b=AAAA\r\n" % domain
        zone = {**POLICY, f"s._domainkey.{domain.decode()}": [("TXT", "!")]}
        found, _ = proved(zone, "x@evil.test", field)
        assert (found.dkim_word, found.dmarc_word) == ("temperror", word)
