"""What our own domain's DNS says, and what a person is told of it, as a table."""

from typing import NamedTuple

import pytest

from carepost.destinations import published
from carepost.destinations.published import Key
from carepost.rfc import asking
from carepost.rfc.asking import ABSENT, FAILED, Found, Question, Record

pytestmark = pytest.mark.fast

DOMAIN = "clinic.test"
OURS = "v=DKIM1; k=rsa; p=AAAABBBB"
DKIM, DMARC = f"s1._domainkey.{DOMAIN}", f"_dmarc.{DOMAIN}"
TLS, STS = f"_smtp._tls.{DOMAIN}", f"_mta-sts.{DOMAIN}"


class Row(NamedTuple):
    what: str
    name: str
    #: TXT records there; None: the name servers do not answer
    records: tuple[str, ...] | None
    tone: str
    word: str


ROWS = [
    Row("SPF is there", DOMAIN, ("v=spf1 ip4:192.0.2.1 -all", "other=1"), "good", "Published"),
    Row("no SPF", DOMAIN, ("other=1",), "wait", "Missing"),
    Row("another version is no SPF", DOMAIN, ("v=spf10 -all",), "wait", "Missing"),
    Row("two SPF records", DOMAIN, ("v=spf1 -all", "v=spf1 mx -all"), "bad", "Two records"),
    Row("SPF for everybody", DOMAIN, ("v=spf1 +all",), "bad", "Allows everybody"),
    Row("SPF for everybody, without a sign", DOMAIN, ("v=spf1 mx all",), "bad", "Allows everybody"),
    Row("silent name servers", DOMAIN, None, "plain", "Not known now"),
    Row("our DKIM key", DKIM, (OURS,), "good", "Published"),
    Row("our DKIM key, otherwise spaced", DKIM, ("v=DKIM1;k=rsa;p=AAAA BBBB",), "good", "Published"),
    Row("another DKIM key", DKIM, ("v=DKIM1; k=rsa; p=CCCC",), "bad", "Another key"),
    Row("a revoked DKIM key", DKIM, ("v=DKIM1; p=",), "bad", "Another key"),
    Row("two DKIM keys", DKIM, (OURS, "v=DKIM1; p=CCCC"), "bad", "Another key"),
    Row("no DKIM key", DKIM, (), "bad", "Missing"),
    Row("no DMARC", DMARC, (), "bad", "Missing"),
    Row("DMARC that asks for reports alone", DMARC, ("v=DMARC1; p=none; rua=mailto:a@b.test",), "wait", "p=none"),
    Row("DMARC that rejects", DMARC, ("v=DMARC1; p=reject",), "good", "p=reject"),
    Row("DMARC that puts aside", DMARC, ("v=DMARC1;p=Quarantine",), "good", "p=quarantine"),
    Row("two DMARC records (BI-041)", DMARC, ("v=DMARC1; p=reject", "v=DMARC1; p=none"), "bad", "Two records"),
    Row("an unknown DMARC policy (BI-041)", DMARC, ("v=DMARC1; p=foo",), "wait", "p=none"),
    Row("TLS reports are asked for", TLS, ("v=TLSRPTv1; rua=mailto:a@b.test",), "good", "Published"),
    Row("nobody asks for TLS reports", TLS, (), "wait", "Missing"),
    Row("MTA-STS", STS, ("v=STSv1; id=1",), "good", "Published"),
    Row("no MTA-STS", STS, (), "wait", "Missing"),
    Row("two MTA-STS records", STS, ("v=STSv1; id=1", "v=STSv1; id=2"), "wait", "Two records"),
]


def checked(row: Row) -> list[published.Checked]:
    def answer(question: Question) -> Found:
        if question.record is Record.MX:
            return Found(names=("mx.clinic.test",))
        if question.name != row.name:
            return ABSENT
        return FAILED if row.records is None else Found(texts=tuple(text.encode() for text in row.records))

    course = published.check(DOMAIN, [Key("s1", OURS)], dmarc="v=DMARC1; p=none", tls="v=TLSRPTv1; rua=x")
    return asking.run(course, answer)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_a_person_is_told(row: Row) -> None:
    found = [one for one in checked(row) if one.name == row.name and "MX" not in one.what]
    assert [(one.tone, one.word) for one in found] == [(row.tone, row.word)]
    assert found[0].text


def test_without_an_mx_answers_find_no_way_back_and_a_long_record_is_cut() -> None:
    course = published.check(DOMAIN, [], dmarc="d", tls="t")
    *_, mx = asking.run(course, lambda _: Found(texts=(b"v=spf1 " + b"a" * 5000,)))
    assert (mx.what, mx.tone) == ("Where its mail is received (MX)", "bad")
    spf = asking.run(
        published.check(DOMAIN, [], dmarc="d", tls="t"), lambda _: Found(texts=(b"v=spf1 " + b"a" * 5000,))
    )
    assert len(spf[0].found[0]) == 600
