"""What a sender domain publishes, and what a person is told of it: one row, one state of DNS.

Each row changes one record of a domain that is otherwise set up well. `?` stands for name servers that are silent."""

import base64
from typing import NamedTuple

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from carepost.crypto import dkim, dkim_record
from carepost.rfc import asking
from carepost.rfc.asking import ABSENT, FAILED, Found, Question, Record
from carepost.senders import check, hosts, keys, transport
from carepost.senders.types import Address, Asked, Key, Line, Part, Phase, State, Sts

pytestmark = pytest.mark.fast

_, RSA = dkim.generate(dkim.RSA)
_, ED = dkim.generate(dkim.ED25519)
_, OTHER = dkim.generate(dkim.ED25519)
_SMALL = generate_private_key(65537, 1024).public_key()
_DER = _SMALL.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SHORT = f"v=DKIM1; k=rsa; p={base64.b64encode(_DER).decode()}"
STS = Sts("enforce", ("mx.clinic.test",), 604_800, "20261122", "portal.clinic.test")
ASKED = Asked(
    domain="clinic.test", host="mail.clinic.test",
    keys=(Key("s1r", RSA), Key("s1e", ED)),
    addresses=(Address("192.0.2.7", "mail.clinic.test"), Address("2001:db8::7", "mail.clinic.test")),
    dmarc="dmarc-reports@clinic.test", tls="tls-reports@clinic.test", return_path="bounce.clinic.test",
    tracking="links.clinic.test", tracking_to="portal.clinic.test", sts=STS,
)  # fmt: skip
SPF = "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
WELL: dict[str, tuple[str, ...]] = {
    "TXT clinic.test": (SPF, "other=1"),
    "TXT s1r._domainkey.clinic.test": (RSA,),
    "TXT s1e._domainkey.clinic.test": (ED,),
    "TXT _dmarc.clinic.test": ("v=DMARC1; p=reject; rua=mailto:dmarc-reports@clinic.test",),
    "TXT _mta-sts.clinic.test": ("v=STSv1; id=20261122;",),
    "TXT _smtp._tls.clinic.test": ("v=TLSRPTv1; rua=mailto:tls-reports@clinic.test",),
    "TXT bounce.clinic.test": (SPF,),
    "MX clinic.test": ("mx.clinic.test",),
    "MX bounce.clinic.test": ("mail.clinic.test",),
    "A mail.clinic.test": ("192.0.2.7",),
    "AAAA mail.clinic.test": ("2001:db8::7",),
    "A portal.clinic.test": ("192.0.2.9",),
    "A mta-sts.clinic.test": ("192.0.2.9",),
    "CNAME links.clinic.test": ("portal.clinic.test",),
    "PTR 7.2.0.192.in-addr.arpa": ("mail.clinic.test",),
    "PTR 7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": ("mail.clinic.test",),
    "POLICY clinic.test": (transport.text_of(STS),),
}
_MANY = {f"TXT n{i}.example": ("v=spf1 a -all",) for i in range(6)} | {
    f"A n{i}.example": ("192.0.2.1",) for i in range(6)
}
_ALL = " ".join(f"include:n{i}.example" for i in range(6))


class Row(NamedTuple):
    what: str
    #: "TYPE name" -> records; None: nothing there; "?": silent name servers
    changed: dict[str, object]
    part: Part
    state: State
    code: str


R, M, D, U = State.RIGHT, State.MISSING, State.DIFFERENT, State.UNKNOWN
_DMARC, _SPF, _ONE = "TXT _dmarc.clinic.test", "TXT clinic.test", "TXT s1r._domainkey.clinic.test"
_RUA = "; rua=mailto:a@clinic.test"
ROWS = [
    Row("SPF names both addresses", {}, Part.SPF, R, "right"),
    Row("SPF by an include", {_SPF: ("v=spf1 include:_spf.clinic.test -all",), "TXT _spf.clinic.test": (SPF,)},
        Part.SPF, R, "right"),
    Row("no SPF", {_SPF: ("other=1",)}, Part.SPF, M, "missing"),
    Row("another version is no SPF", {_SPF: ("v=spf10 -all",)}, Part.SPF, M, "missing"),
    Row("two SPF records", {_SPF: (SPF, "v=spf1 mx -all")}, Part.SPF, D, "several"),
    Row("SPF for everybody", {_SPF: ("v=spf1 +all",)}, Part.SPF, D, "everybody"),
    Row("SPF for everybody, without a sign", {_SPF: ("v=spf1 mx all",)}, Part.SPF, D, "everybody"),
    Row("SPF without us", {_SPF: ("v=spf1 ip4:198.51.100.0/24 ~all",)}, Part.SPF, D, "without-us"),
    Row("SPF with one of two addresses", {_SPF: ("v=spf1 ip4:192.0.2.7 -all",)}, Part.SPF, D, "without-us"),
    Row("SPF with a word nobody knows", {_SPF: ("v=spf1 ipv4:192.0.2.7 -all",)}, Part.SPF, D, "syntax"),
    Row("SPF of 12 questions (BI-042)", {_SPF: (f"v=spf1 {_ALL} -all",), **_MANY}, Part.SPF, D, "lookups"),
    Row("SPF with three names that are gone", {_SPF: (f"{SPF[:-5]} a:x.example a:y.example mx:z.example -all",)},
        Part.SPF, D, "voids"),
    Row("SPF that includes a name without one", {_SPF: ("v=spf1 include:gone.example -all",)}, Part.SPF, D, "broken"),
    Row("silent name servers for SPF", {_SPF: "?"}, Part.SPF, U, "no-answer"),
    Row("silent name servers behind an include", {_SPF: ("v=spf1 include:x.example -all",), "TXT x.example": "?"},
        Part.SPF, U, "no-answer"),
    Row("our DKIM key", {}, Part.DKIM, R, "right"),
    Row("our DKIM key, otherwise spaced", {_ONE: (RSA.replace("; ", ";").replace("p=MIIB", "p=MI IB"),)},
        Part.DKIM, R, "right"),
    Row("no DKIM key", {_ONE: None}, Part.DKIM, M, "missing"),
    Row("another DKIM key", {_ONE: (OTHER,)}, Part.DKIM, D, "other-key"),
    Row("a revoked DKIM key", {_ONE: ("v=DKIM1; p=",)}, Part.DKIM, D, "revoked"),
    Row("two DKIM keys", {_ONE: (RSA, OTHER)}, Part.DKIM, D, "several"),
    Row("a DKIM key of 1024 bits that is not ours", {_ONE: (SHORT,)}, Part.DKIM, D, "other-key"),
    Row("a DKIM key for tests only", {_ONE: (f"{RSA}; t=y",)}, Part.DKIM, D, "testing"),
    Row("a DKIM key cut in half", {_ONE: (RSA[:120],)}, Part.DKIM, D, "key-syntax"),
    Row("silent name servers for DKIM", {_ONE: "?"}, Part.DKIM, U, "no-answer"),
    Row("DMARC rejects", {}, Part.DMARC, R, "reject"),
    Row("DMARC puts aside", {_DMARC: (f"v=DMARC1;p=Quarantine{_RUA}",)}, Part.DMARC, R, "quarantine"),
    Row("DMARC asks for reports alone", {_DMARC: (f"v=DMARC1; p=none{_RUA}",)}, Part.DMARC, R, "none"),
    Row("DMARC asks for no reports", {_DMARC: ("v=DMARC1; p=reject",)}, Part.DMARC, R, "no-reports"),
    Row("DMARC leaves names below open", {_DMARC: ("v=DMARC1; p=reject; sp=none; rua=mailto:a@clinic.test",)},
        Part.DMARC, R, "below-open"),
    Row("DMARC is being tested", {_DMARC: (f"v=DMARC1; p=reject; t=y{_RUA}",)}, Part.DMARC, R, "testing"),
    Row("DMARC wants the return path to be the domain itself",
        {_DMARC: ("v=DMARC1; p=reject; aspf=s; rua=mailto:a@clinic.test",)}, Part.DMARC, D, "not-aligned"),
    Row("no DMARC", {_DMARC: None}, Part.DMARC, M, "missing"),
    Row("DMARC of the name above", {_DMARC: None, "TXT _dmarc.test": ("v=DMARC1; p=reject; psd=n",)},
        Part.DMARC, R, "inherited"),
    Row("two DMARC records (BI-041)", {_DMARC: ("v=DMARC1; p=reject", "v=DMARC1; p=none")}, Part.DMARC, D, "several"),
    Row("a DMARC policy nobody knows (BI-041)", {_DMARC: ("v=DMARC1; p=foo",)}, Part.DMARC, D, "syntax"),
    Row("silent name servers for DMARC", {_DMARC: "?"}, Part.DMARC, U, "no-answer"),
    Row("reports go to a domain that takes them",
        {_DMARC: ("v=DMARC1; p=reject; rua=mailto:a@reports.example",),
         "TXT clinic.test._report._dmarc.reports.example": ("v=DMARC1;",)}, Part.DMARC_REPORTS, R, "right"),
    Row("reports go to a domain that does not say so", {_DMARC: ("v=DMARC1; p=reject; rua=mailto:a@reports.example",)},
        Part.DMARC_REPORTS, M, "missing"),
    Row("TLS reports are asked for", {}, Part.TLS_REPORTS, R, "right"),
    Row("nobody asks for TLS reports", {"TXT _smtp._tls.clinic.test": None}, Part.TLS_REPORTS, M, "missing"),
    Row("TLS reports without an address", {"TXT _smtp._tls.clinic.test": ("v=TLSRPTv1;",)},
        Part.TLS_REPORTS, D, "no-address"),
    Row("the MTA-STS record of our policy", {}, Part.MTA_STS, R, "right"),
    Row("no MTA-STS record", {"TXT _mta-sts.clinic.test": None}, Part.MTA_STS, M, "missing"),
    Row("the MTA-STS record of an older policy", {"TXT _mta-sts.clinic.test": ("v=STSv1; id=1",)},
        Part.MTA_STS, D, "other-id"),
    Row("two MTA-STS records", {"TXT _mta-sts.clinic.test": ("v=STSv1; id=1", "v=STSv1; id=2")},
        Part.MTA_STS, D, "several"),
    Row("our policy is served", {}, Part.MTA_STS_FILE, R, "right"),
    Row("another policy is served", {"POLICY clinic.test": ("version: STSv1\nmode: none\nmax_age: 1\n",)},
        Part.MTA_STS_FILE, D, "other-policy"),
    Row("no host serves the policy", {"POLICY clinic.test": "?", "A mta-sts.clinic.test": None},
        Part.MTA_STS_FILE, M, "no-host"),
    Row("the host of the policy does not serve it", {"POLICY clinic.test": "?"}, Part.MTA_STS_FILE, U, "not-fetched"),
    Row("the policy leaves out our MX", {"MX clinic.test": ("mx2.clinic.test",)}, Part.MTA_STS_FILE, D, "mx-outside"),
    Row("reports come back to this system", {}, Part.RETURN_MX, R, "right"),
    Row("the return path leads nowhere", {"MX bounce.clinic.test": None}, Part.RETURN_MX, M, "missing"),
    Row("the return path leads to another system", {"MX bounce.clinic.test": ("mx.example",)},
        Part.RETURN_MX, D, "elsewhere"),
    Row("SPF of the return path", {}, Part.RETURN_SPF, R, "right"),
    Row("no SPF at the return path", {"TXT bounce.clinic.test": None}, Part.RETURN_SPF, M, "missing"),
    Row("the tracking host leads here", {}, Part.TRACKING, R, "right"),
    Row("the tracking host by its address",
        {"CNAME links.clinic.test": None, "A links.clinic.test": ("192.0.2.9",)}, Part.TRACKING, R, "by-address"),
    Row("no tracking host", {"CNAME links.clinic.test": None}, Part.TRACKING, M, "missing"),
    Row("the tracking host leads elsewhere",
        {"CNAME links.clinic.test": ("x.example",), "A links.clinic.test": ("198.51.100.1",)},
        Part.TRACKING, D, "elsewhere"),
    Row("answers have a mail server", {}, Part.MX, R, "right"),
    Row("answers have none", {"MX clinic.test": None}, Part.MX, M, "missing"),
    Row("the address leads to its name and back", {}, Part.REVERSE, R, "right"),
    Row("the address has no name", {"PTR 7.2.0.192.in-addr.arpa": None}, Part.REVERSE, M, "missing"),
    Row("the address's name does not lead back",
        {"PTR 7.2.0.192.in-addr.arpa": ("x.example",), "A x.example": ("198.51.100.1",)},
        Part.REVERSE, D, "no-way-back"),
    Row("the address has another name of ours",
        {"PTR 7.2.0.192.in-addr.arpa": ("x.example",), "A x.example": ("192.0.2.7",)}, Part.REVERSE, R, "other-name"),
    Row("silent name servers for the address", {"PTR 7.2.0.192.in-addr.arpa": "?"}, Part.REVERSE, U, "no-answer"),
    Row("the name in HELO leads to the address", {}, Part.HELO, R, "right"),
    Row("the name in HELO leads elsewhere", {"A mail.clinic.test": ("198.51.100.1",)}, Part.HELO, D, "elsewhere"),
]  # fmt: skip


def answered(zone: dict[str, object], question: Question) -> Found:
    records = zone.get(f"{question.record.value} {question.name}")
    if records == "?":
        return FAILED
    if records is None and question.record is Record.POLICY:
        return FAILED
    if not isinstance(records, tuple):
        return Found() if any(place.endswith(f" {question.name}") for place in zone) else ABSENT
    if question.record in (Record.TXT, Record.POLICY):
        return Found(texts=tuple(text.encode() for text in records))
    return Found(names=records)


def checked(changed: dict[str, object], asked: Asked = ASKED) -> tuple[Line, ...]:
    zone = {**WELL, **changed}
    return asking.run(check.check(asked), lambda question: answered(zone, question))


def first(lines: tuple[Line, ...], part: Part) -> Line:
    return next(line for line in lines if line.part is part)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.what)
def test_what_a_person_is_told(row: Row) -> None:
    line = first(checked(row.changed), row.part)
    assert (line.state, line.code) == (row.state, row.code)
    assert line.why.endswith(".") and (line.todo.endswith(".") or line.right or ":" in line.todo)


def test_a_domain_that_is_set_up_well_has_nothing_to_do() -> None:
    lines = checked({})
    assert {line.state for line in lines} == {State.RIGHT}
    assert {line.part for line in lines} == set(Part) - {Part.DMARC_REPORTS}
    assert not [line.todo for line in lines if line.todo]


@pytest.mark.parametrize(
    ("phase", "record", "state", "code"),
    [
        (Phase.NEXT, None, State.MISSING, "missing"),
        (Phase.NEXT, RSA, State.RIGHT, "shown"),
        (Phase.NEXT, OTHER, State.DIFFERENT, "other-key"),
        (Phase.OLD, RSA, State.RIGHT, "right"),
        (Phase.OLD, None, State.MISSING, "missing"),
        (Phase.DUE, RSA, State.RIGHT, "may-go"),
        (Phase.DUE, None, State.RIGHT, "gone"),
        (Phase.REVOKED, RSA, State.DIFFERENT, "still-there"),
        (Phase.REVOKED, "v=DKIM1; p=", State.RIGHT, "empty"),
        (Phase.REVOKED, None, State.RIGHT, "gone"),
    ],
    ids=[f"{i}" for i in range(10)],
)
def test_a_key_in_each_phase(phase: Phase, record: str | None, state: State, code: str) -> None:
    asked = msgspec.structs.replace(ASKED, keys=(Key("s1r", RSA, phase), Key("s1e", ED)))
    line = first(checked({_ONE: (record,) if record else None}, asked), Part.DKIM)
    assert (line.state, line.code) == (state, code)
    if phase is Phase.REVOKED:
        assert line.wanted == keys.EMPTY


def test_only_the_very_key_lets_signing_change_to_it() -> None:
    ours = RSA.encode()
    assert dkim_record.shows(RSA, (ours,))
    for texts in ((), (OTHER.encode(),), (ours, OTHER.encode()), (ours + b"; t=y",), (b"v=DKIM1; p=",), (b"x",)):
        assert not dkim_record.shows(RSA, texts)
    assert dkim_record.fault(SHORT, SHORT.encode()) == "short", "RFC 8301 3.2"


@pytest.mark.parametrize(
    ("mx", "given"),
    [
        (("mx1.clinic.test.", "MX2.clinic.test"), "--mx mx1.clinic.test --mx mx2.clinic.test"),
        (("clinic-test.mail.protection.outlook.com",), "--mx clinic-test.mail.protection.outlook.com"),
        ((".",), "--mx HOST"),
        ("?", "--mx HOST"),
    ],
    ids=["two", "hosted", "takes none", "silent"],
)
def test_the_advice_on_mta_sts_is_a_command_with_the_domains_own_servers(mx: object, given: str) -> None:
    zone = {"MX clinic.test": mx, "TXT _mta-sts.clinic.test": None}
    line = first(checked(zone, msgspec.structs.replace(ASKED, sts=None)), Part.MTA_STS)
    assert line.todo.endswith(f": carepost domain mta-sts clinic.test testing {given}")


def test_what_others_may_send_stays_allowed_in_the_proposed_spf() -> None:
    line = first(
        checked({_SPF: ("v=spf1 include:_spf.example mx ~all",), "TXT _spf.example": ("v=spf1 -all",)}), Part.SPF
    )
    assert line.wanted == "v=spf1 include:_spf.example mx ip4:192.0.2.7 ip6:2001:db8::7 ~all"
    assert first(checked({_SPF: None}), Part.SPF).wanted == "v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 -all"
    everybody = first(checked({_SPF: ("v=spf1 mx +all",)}), Part.SPF)
    assert everybody.wanted == "v=spf1 mx ip4:192.0.2.7 ip6:2001:db8::7 -all"


def test_of_two_records_one_is_proposed_that_takes_nothing_away() -> None:
    two = first(checked({_SPF: ("v=spf1 mx ip4:192.0.2.7 ~all", "v=spf1 include:_spf.example mx -all")}), Part.SPF)
    assert two.code == "several"
    assert two.wanted == "v=spf1 mx ip4:192.0.2.7 include:_spf.example ip6:2001:db8::7 ~all"
    for records in (("v=DMARC1; p=none", "v=DMARC1; p=reject"), ("v=DMARC1; p=reject", "v=DMARC1; p=quarantine")):
        assert first(checked({_DMARC: records}), Part.DMARC).wanted == "v=DMARC1; p=reject"


def test_the_address_of_the_system_counts_beside_a_pools_where_some_mail_leaves_by_it() -> None:
    pool = (Address("192.0.2.200", "news.clinic.test"),)
    for house, state in ((False, R), (True, D)):
        asked = msgspec.structs.replace(ASKED, addresses=pool, house=house)
        line = first(checked({_SPF: ("v=spf1 ip4:192.0.2.200 -all",)}, asked), Part.SPF)
        assert line.state is state
    assert line.wanted == "v=spf1 ip4:192.0.2.200 ip4:192.0.2.7 ip6:2001:db8::7 -all"


def test_without_addresses_those_of_the_host_are_asked_for_and_nothing_is_taken_for_right() -> None:
    asked = msgspec.structs.replace(ASKED, addresses=())
    assert first(checked({}, asked), Part.SPF).state is State.RIGHT
    none: dict[str, object] = {"A mail.clinic.test": None, "AAAA mail.clinic.test": None}
    line = first(checked(none, asked), Part.SPF)
    assert (line.state, line.code) == (State.UNKNOWN, "no-address")


def test_a_system_without_a_name_is_told_to_take_one_first() -> None:
    """Never a record about `localhost`, and no question about it."""
    assert [hosts.own_name(n) for n in ("localhost", "mail", "127.0.0.1", "::1", "x.localdomain", "")] == [""] * 6
    assert hosts.own_name("Mail.Clinic.test.") == "mail.clinic.test"
    bare = msgspec.structs.replace(ASKED, host="", addresses=())
    lines = checked({"TXT clinic.test": None, "TXT bounce.clinic.test": None}, bare)
    hello = first(lines, Part.HELO)
    assert (hello.state, hello.code, hello.wanted) == (M, "no-name", "")
    assert "mail.clinic.test" in hello.todo and "hostname" in hello.todo and "CAREPOST_HOSTNAME" in hello.todo
    for part in (Part.SPF, Part.RETURN_SPF, Part.RETURN_MX):
        line = first(lines, part)
        assert line.wanted == "" and line.todo == hello.todo, part
    assert not any(line.part is Part.REVERSE for line in lines)
    named = checked({}, msgspec.structs.replace(ASKED, host="", return_path=""))
    assert {line.state for line in named if line.part in (Part.HELO, Part.REVERSE)} == {R}, "each address has its own"
    half = msgspec.structs.replace(ASKED, host="", addresses=(Address("192.0.2.7", ""),))
    assert [line.code for line in checked({}, half) if line.part is Part.HELO] == ["no-name"]


def test_nothing_asked_for_is_missing_when_nobody_answers() -> None:
    lines = asking.run(check.check(ASKED), lambda _: FAILED)
    assert {line.state for line in lines} == {State.UNKNOWN}


def test_questions_are_bounded_whatever_a_record_says() -> None:
    """BI-042: a record that includes itself, and one that includes a thousand."""
    asked: list[Question] = []

    def answer(question: Question) -> Found:
        asked.append(question)
        if question.record is Record.TXT and "_" not in question.name:
            return Found(texts=(("v=spf1 " + "include:clinic.test " * 150 + "-all").encode(),))
        return ABSENT

    lines = asking.run(check.check(ASKED), answer)
    assert first(lines, Part.SPF).code == "lookups"
    assert len(asked) < 120


def test_a_long_record_is_cut_and_no_key_at_all_is_said() -> None:
    line = first(checked({_SPF: ("v=spf1 " + "a" * 5000,)}), Part.SPF)
    assert len(line.found[0]) == 900
    assert first(checked({}, msgspec.structs.replace(ASKED, keys=())), Part.DKIM).code == "no-key"
