"""How an attempt's end is judged (DESIGN 3), as a table: what the other side did, and what it leads to."""

import pytest

from carepost.delivery.outcome import REASONS, Lead, classify
from carepost.queue.types import Stage
from carepost.rfc.reply import Reply, make, malformed

pytestmark = pytest.mark.fast

SENT, RETRY, METHOD, FAILED, UNCERTAIN = Lead.SENT, Lead.RETRY, Lead.METHOD, Lead.FAILED, Lead.UNCERTAIN

#: stage, what the server answered, what it leads to, reason
ANSWERS = [
    # accepted: only the answer to the final dot is a delivery
    ("dot", "250 2.0.0 queued", SENT, "accepted"),
    ("dot", "250 Ok", SENT, "accepted"),
    ("dot", "251 2.1.5 will forward", SENT, "accepted"),
    ("mail", "250 2.1.0 ok", RETRY, "malformed"),
    ("data", "250 ok", RETRY, "malformed"),
    # later: every 4xx, wherever it is said
    ("banner", "421 4.3.2 busy", RETRY, "server-unwilling"),
    ("banner", "450 4.7.1 wait", RETRY, "asked-to-wait"),
    ("ehlo", "451 4.7.1 wait", RETRY, "asked-to-wait"),
    ("mail", "421 4.7.0 too many connections", RETRY, "server-unwilling"),
    ("mail", "452 4.3.1 no room", RETRY, "asked-to-wait"),
    ("rcpt", "450 4.2.0 greylisted, come back", RETRY, "asked-to-wait"),
    ("rcpt", "451 4.7.1 try again", RETRY, "asked-to-wait"),
    ("rcpt", "452 4.2.2 mailbox full", RETRY, "mailbox-full-now"),
    ("rcpt", "452 full", RETRY, "mailbox-full-now"),
    ("data", "451 4.3.0 not now", RETRY, "asked-to-wait"),
    ("dot", "451 4.3.0 not now", RETRY, "asked-to-wait"),
    ("dot", "452 4.3.1 no room", RETRY, "asked-to-wait"),
    # about the mailbox: failed, never another method
    ("rcpt", "550 5.1.1 no such user", FAILED, "no-such-mailbox"),
    ("rcpt", "550 no such user", FAILED, "no-such-mailbox"),
    ("rcpt", "551 5.1.6 moved", FAILED, "no-such-mailbox"),
    ("rcpt", "553 bad name", FAILED, "no-such-mailbox"),
    ("rcpt", "550 5.2.1 disabled", FAILED, "mailbox-closed"),
    ("rcpt", "552 5.2.2 over quota", FAILED, "mailbox-full"),
    ("dot", "550 5.1.1 no such user", FAILED, "no-such-mailbox"),
    ("dot", "552 5.2.2 over quota", FAILED, "mailbox-full"),
    ("rcpt", "550 5.7.1 blocked", FAILED, "refused-by-rule"),
    ("rcpt", "554 5.7.1 relay denied", FAILED, "refused-by-rule"),
    ("rcpt", "554 no", FAILED, "refused-for-good"),
    ("rcpt", "550 5.4.6 loop", FAILED, "mail-loop"),
    ("rcpt", "556 5.1.10 null MX", FAILED, "no-such-mailbox"),
    # about the sender or the protocol: another method would change nothing
    ("mail", "550 5.1.8 bad sender", FAILED, "sender-refused"),
    ("mail", "553 5.1.7 bad sender", FAILED, "sender-refused"),
    ("mail", "550 5.7.1 not from you", FAILED, "sender-refused"),
    ("mail", "550 no", FAILED, "sender-refused"),
    ("rcpt", "550 5.1.7 bad sender", FAILED, "sender-refused"),
    ("mail", "503 5.5.1 sequence", FAILED, "protocol"),
    ("mail", "555 5.5.4 parameters", FAILED, "protocol"),
    ("rcpt", "501 syntax", FAILED, "protocol"),
    ("rcpt", "550 5.6.7 no SMTPUTF8", FAILED, "no-smtputf8"),
    # about size, content or TLS: the next method
    ("mail", "552 5.3.4 too big", METHOD, "too-large"),
    ("mail", "552 too big", METHOD, "too-large"),
    ("dot", "552 5.3.4 too big", METHOD, "too-large"),
    ("rcpt", "552 5.2.3 too big for this mailbox", METHOD, "too-large"),
    ("dot", "552 too big", METHOD, "too-large"),
    ("dot", "554 5.6.0 content", METHOD, "content-refused"),
    ("dot", "554 rejected", METHOD, "content-refused"),
    ("dot", "550 5.7.1 looks like spam", METHOD, "content-refused"),
    ("dot", "550 rejected", METHOD, "content-refused"),
    ("data", "554 5.6.1 media", METHOD, "content-refused"),
    ("mail", "530 5.7.0 must issue STARTTLS first", METHOD, "tls-required"),
    ("mail", "550 5.7.10 encryption needed", METHOD, "tls-required"),
    ("rcpt", "550 5.7.30 REQUIRETLS", METHOD, "tls-required"),
    ("mail", "523 5.7.10 encryption needed", METHOD, "tls-required"),
    # old servers say 552 for "too many recipients" (RFC 5321 4.5.3.1.10)
    ("rcpt", "552 too many", RETRY, "asked-to-wait"),
    # a 5xx before MAIL is about the server or about us, and may pass
    ("banner", "554 5.7.1 no service for you", RETRY, "server-unwilling"),
    ("ehlo", "550 5.7.1 who are you", RETRY, "server-unwilling"),
    ("banner", "521 no mail here", FAILED, "no-mail-here"),
    # a 354 where no 354 belongs
    ("mail", "354 go on", RETRY, "malformed"),
]  # fmt: skip

#: stage, what happened instead of an answer, what it leads to, reason
SILENCES = [
    ("connect", "refused", RETRY, "refused"),
    ("connect", "timeout", RETRY, "timeout"),
    ("connect", "busy", RETRY, "busy"),
    ("banner", "lost", RETRY, "lost"),
    ("banner", "timeout", RETRY, "timeout"),
    ("starttls", "tls-lost", RETRY, "tls-broken"),
    ("starttls", "tls-timeout", RETRY, "tls-timeout"),
    ("mail", "lost", RETRY, "lost"),
    ("rcpt", "timeout", RETRY, "timeout"),
    ("data", "lost", RETRY, "lost"),
    ("data", "malformed", RETRY, "malformed"),
    ("mail", "too-large", METHOD, "too-large"),
    ("mail", "no-8bitmime", METHOD, "no-8bitmime"),
    ("mail", "no-smtputf8", FAILED, "no-smtputf8"),
    # DNS: what is not known may pass, what is known to be absent does not (BI-030, BI-031, BI-033)
    ("dns", "dns-failure", RETRY, "dns-failure"),
    ("dns", "dns-timeout", RETRY, "dns-timeout"),
    ("dns", "dns-bogus", RETRY, "dns-bogus"),
    ("dns", "tlsa-failure", RETRY, "tlsa-failure"),
    ("dns", "null-mx", FAILED, "null-mx"),
    ("dns", "no-such-domain", FAILED, "no-such-domain"),
    ("dns", "no-mail-host", FAILED, "no-mail-host"),
    ("dns", "no-usable-host", FAILED, "no-usable-host"),
    ("dns", "mail-loop", FAILED, "mail-loop"),
    ("dns", "mta-sts-mx", METHOD, "mta-sts-mx"),
]


def answered(text: str) -> Reply:
    code, _, rest = text.partition(" ")
    return make(int(code), (rest,))


@pytest.mark.parametrize(("stage", "said", "lead", "reason"), ANSWERS, ids=lambda v: str(v))
def test_an_answer_leads_to(stage: str, said: str, lead: Lead, reason: str) -> None:
    outcome = classify(Stage(stage), answered(said), dot=stage == "dot")
    assert (outcome.lead, outcome.reason) == (lead, reason)


@pytest.mark.parametrize(("stage", "error", "lead", "reason"), SILENCES, ids=lambda v: str(v))
def test_no_answer_leads_to(stage: str, error: str, lead: Lead, reason: str) -> None:
    outcome = classify(Stage(stage), None, error)
    assert (outcome.lead, outcome.reason) == (lead, reason)


@pytest.mark.parametrize("error", ["lost", "timeout", "malformed", "unasked"])
def test_after_the_final_dot_every_silence_is_uncertain(error: str) -> None:
    """Law 6: it may have arrived."""
    assert classify(Stage.DOT, None, error, dot=True).lead is UNCERTAIN


def test_an_answer_that_is_none_after_the_dot_is_uncertain() -> None:
    """BI-024: a reply that cannot be read says nothing about the message."""
    assert classify(Stage.DOT, malformed("?"), "malformed", dot=True).lead is UNCERTAIN
    assert classify(Stage.DOT, make(354, ("go on",)), "malformed", dot=True).lead is UNCERTAIN


def test_a_broken_answer_before_the_dot_counts_as_temporary() -> None:
    """BI-024."""
    assert classify(Stage.MAIL, malformed("?")).lead is RETRY
    assert classify(Stage.RCPT, malformed("?"), "malformed").lead is RETRY


@pytest.mark.parametrize(
    "fault",
    [
        "no-tls",
        "starttls-refused",
        "tls-failed",
        "expired",
        "self-signed",
        "wrong-name",
        "dane-mismatch",
        "dane-unusable",
    ],
)
def test_a_floor_not_met_on_every_host_leads_to_the_next_method_else_again(fault: str) -> None:
    outcome = classify(Stage.FLOOR, None, fault, short=True)
    assert (outcome.lead, outcome.otherwise, outcome.reason) == (METHOD, RETRY, fault)


def test_a_refusal_of_the_content_fails_where_no_method_is_left() -> None:
    assert classify(Stage.DOT, answered("554 5.6.0 no"), dot=True).otherwise is FAILED


def test_the_servers_enhanced_code_is_kept_and_ours_stands_where_it_gave_none() -> None:
    assert classify(Stage.RCPT, answered("550 5.1.6 moved")).enhanced == "5.1.6"
    assert classify(Stage.RCPT, answered("550 gone")).enhanced == "5.1.1"
    assert classify(Stage.DNS, None, "null-mx").enhanced == "5.1.10"
    assert classify(Stage.DNS, None, "no-such-domain").enhanced == "5.1.2"


def test_whatever_a_server_says_has_exactly_one_outcome() -> None:
    """Total: no code, stage or enhanced status is without an outcome, and every reason has words."""
    for code in range(200, 600):
        for stage in Stage:
            for dot in (False, True):
                for detail in ("", f"{code // 100}.7.1 x", f"{code // 100}.9.99 x"):
                    outcome = classify(stage, make(code, (detail,)), dot=dot)
                    assert outcome.reason in REASONS
                    assert outcome.lead is not SENT or (dot and code < 300)


def test_no_words_hold_a_servers_text() -> None:
    outcome = classify(Stage.RCPT, answered("550 5.1.1 <jane.roe@clinic.test> unknown"))
    assert "jane" not in outcome.words
