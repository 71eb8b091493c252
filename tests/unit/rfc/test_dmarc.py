"""DMARC after RFC 9989: the record, the tree walk, alignment, and what hostile zones may cost (BI-041)."""

import pytest

from carepost.rfc import dmarc
from carepost.rfc.asking import run
from carepost.rfc.dmarc import Identified, Policy, Verdict
from tests.support.zone import Dns

pytestmark = pytest.mark.fast


def judged(domain: str, zone: dict[str, str], *proved: str, exists: bool = True) -> tuple[Verdict, Dns]:
    """`proved`: "dkim:domain" or "spf:domain"."""
    names = {f"_dmarc.{name}": [("TXT", text) for text in value.split("\n")] for name, value in zone.items()}
    if exists:
        names[domain] = [("A", "192.0.2.1")]
    dns = Dns(names)
    ways = [Identified(*one.split(":")) for one in proved]
    return run(dmarc.evaluate(domain, ways), dns), dns


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        (b"v=DMARC1; p=reject", Policy("reject")),
        (b"v = DMARC1 ;p=none;sp=quarantine; np=reject;", Policy("none", "quarantine", "reject")),
        (b"v=DMARC1;adkim=s;p=QUARANTINE;aspf=s", Policy("quarantine", strict_dkim=True, strict_spf=True)),
        (b"v=DMARC1; p=reject; t=y; psd=n", Policy("reject", testing=True, psd="n")),
        (b"v=DMARC1; p=reject; pct=0; rf=afrf; ri=60; fo=1; zz=1", Policy("reject")),
        (b"v=DMARC1; p=none; rua=mailto:a@b.test!10m,ftp://x", Policy("none", rua=("mailto:a@b.test!10m",))),
        (b"v=DMARC1; p=foo; rua=mailto:a@b.test", Policy("none", rua=("mailto:a@b.test",))),
        (b"v=DMARC1; rua=mailto:a@b.test", Policy("none", rua=("mailto:a@b.test",))),
        (b"v=DMARC1; p=reject; sp=foo; rua=mailto:a@b.test", Policy("none", rua=("mailto:a@b.test",))),
        (b"v=DMARC1; p=foo", None),
        (b"v=DMARC1", None),
        (b"p=reject; v=DMARC1", None),
        (b"v=DMARC10; p=reject", None),
        (b"v=dmarc1; p=reject", None),
        (b"v=DMARC1; p=reject" + b" " * 9000, None),
    ],
)
def test_records(text: bytes, policy: Policy | None) -> None:
    """BI-041: a policy that is none of the three, with somewhere to report to, is `none`."""
    assert dmarc.parse(text) == policy


def test_the_tree_walk_asks_eight_names_at_most() -> None:
    """BI-041: a From domain of 14 labels."""
    deep = "a.b.c.d.e.f.g.h.i.j.k.l.mail.test"
    assert dmarc.targets(deep)[:3] == [deep, "h.i.j.k.l.mail.test", "i.j.k.l.mail.test"]
    _, dns = judged(deep, {})
    assert len(dns.asked) == 8
    assert dmarc.targets("x.clinic.test") == ["x.clinic.test", "clinic.test", "test"]
    assert len(dmarc.targets("a.b.c.d.e.f.g.test")) == 8


@pytest.mark.parametrize(
    ("domain", "zone", "owner"),
    [
        ("x.clinic.test", {"clinic.test": "v=DMARC1; p=reject"}, "clinic.test"),
        ("x.clinic.test", {"x.clinic.test": "v=DMARC1; p=none", "clinic.test": "v=DMARC1; p=reject"}, "clinic.test"),
        (
            "x.clinic.test",
            {"x.clinic.test": "v=DMARC1; p=none; psd=n", "clinic.test": "v=DMARC1; p=none"},
            "x.clinic.test",
        ),
        ("a.b.clinic.test", {"test": "v=DMARC1; p=reject; psd=y"}, "clinic.test"),
        ("test", {"test": "v=DMARC1; p=reject; psd=y"}, "test"),
        ("x.clinic.test", {}, "x.clinic.test"),
    ],
)
def test_who_a_name_belongs_to(domain: str, zone: dict[str, str], owner: str) -> None:
    assert judged(domain, zone)[0].organisation == owner


@pytest.mark.parametrize(
    ("domain", "record", "proved", "result", "by"),
    [
        ("clinic.test", "v=DMARC1; p=reject", ("dkim:clinic.test",), "pass", "dkim"),
        ("clinic.test", "v=DMARC1; p=reject", ("spf:clinic.test",), "pass", "spf"),
        ("clinic.test", "v=DMARC1; p=reject", ("dkim:mail.clinic.test",), "pass", "dkim"),
        ("clinic.test", "v=DMARC1; p=reject; adkim=s", ("dkim:mail.clinic.test",), "fail", ""),
        ("clinic.test", "v=DMARC1; p=reject; aspf=s", ("spf:mail.clinic.test",), "fail", ""),
        ("clinic.test", "v=DMARC1; p=reject; aspf=s", ("spf:clinic.test",), "pass", "spf"),
        ("clinic.test", "v=DMARC1; p=reject", ("dkim:notclinic.test",), "fail", ""),
        ("clinic.test", "v=DMARC1; p=reject", ("dkim:evil.test", "spf:evil.test"), "fail", ""),
        ("clinic.test", "v=DMARC1; p=reject", (), "fail", ""),
    ],
)
def test_alignment(domain: str, record: str, proved: tuple[str, ...], result: str, by: str) -> None:
    verdict, _ = judged(domain, {domain: record}, *proved)
    assert (verdict.result, verdict.by, verdict.aligned) == (result, by, result == "pass")


def test_a_name_below_that_is_its_own_owner_does_not_align() -> None:
    zone = {"clinic.test": "v=DMARC1; p=reject", "lab.clinic.test": "v=DMARC1; p=none; psd=n"}
    assert judged("clinic.test", zone, "dkim:lab.clinic.test")[0].result == "fail"
    assert judged("clinic.test", zone, "dkim:mail.clinic.test")[0].result == "pass"


def test_without_a_record_only_the_very_name_aligns() -> None:
    verdict, _ = judged("clinic.test", {}, "dkim:clinic.test")
    assert (verdict.result, verdict.aligned) == ("none", True)
    verdict, _ = judged("mail.clinic.test", {}, "dkim:clinic.test")
    assert (verdict.result, verdict.aligned) == ("none", False)


@pytest.mark.parametrize(
    ("record", "exists", "asked"),
    [
        ("v=DMARC1; p=reject", True, "reject"),
        ("v=DMARC1; p=reject; sp=none", True, "none"),
        ("v=DMARC1; p=none; np=reject", False, "reject"),
        ("v=DMARC1; p=none; np=reject", True, "none"),
        ("v=DMARC1; p=reject; t=y", True, "quarantine"),
        ("v=DMARC1; p=quarantine; t=y", True, "none"),
    ],
)
def test_what_is_asked_for_a_name_below(record: str, exists: bool, asked: str) -> None:
    assert judged("x.clinic.test", {"clinic.test": record}, exists=exists)[0].asked == asked


def test_bi_041_two_records_are_none() -> None:
    verdict, _ = judged("clinic.test", {"clinic.test": "v=DMARC1; p=reject\nv=DMARC1; p=none"})
    assert verdict.result == "none"
    # a record beside other texts counts
    verdict, _ = judged("clinic.test", {"clinic.test": "v=DMARC1; p=reject\nsite-check=1"})
    assert verdict.asked == "reject"


def test_bi_041_dns_that_fails_is_temporary_never_a_pass() -> None:
    verdict, _ = judged("clinic.test", {"clinic.test": "!"}, "dkim:clinic.test")
    assert (verdict.result, verdict.aligned) == ("temperror", False)


def test_many_signing_domains_cost_a_few_walks() -> None:
    zone = {"clinic.test": "v=DMARC1; p=reject"} | {f"s{n}.clinic.test": "v=DMARC1; p=none; psd=n" for n in range(100)}
    verdict, dns = judged("clinic.test", zone, *(f"dkim:a.s{n}.clinic.test" for n in range(100)))
    assert verdict.result == "fail"
    assert len(dns.asked) <= 2 + dmarc.WALKS * dmarc.STEPS
