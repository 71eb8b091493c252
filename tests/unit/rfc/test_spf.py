"""SPF against the openspf.org suite for RFC 7208, and what a hostile record may cost (BI-042)."""

import json
from pathlib import Path
from typing import Any

import pytest

from carepost.rfc import spf
from carepost.rfc.asking import ABSENT, FAILED, Found, Question, Record, run
from carepost.rfc.spf_check import check
from tests.support.zone import Dns

pytestmark = pytest.mark.fast

VECTORS = Path(__file__).parents[2] / "vectors" / "spf" / "rfc7208.json"
SUITE = json.loads(VECTORS.read_text())
CASES = [(part, name) for part in SUITE for name in part["tests"]]


def of_suite(zone: dict[str, list[Any]], question: Question, depth: int = 0) -> Found:
    """The suite's zone: SPF stands for TXT where a name has no TXT of its own; TIMEOUT for what is not there."""
    records = zone.get(question.name.lower().rstrip("."))
    if records is None:
        return ABSENT
    own = any(isinstance(one, dict) and "TXT" in one for one in records)
    texts: list[bytes] = []
    names: list[str] = []
    late = False
    for one in records:
        if one == "TIMEOUT":
            late = True
            continue
        [(kind, value)] = one.items()
        if kind == "CNAME" and depth < 9:
            return of_suite(zone, Question(question.record, value), depth + 1)
        if question.record is Record.TXT and kind == ("TXT" if own else "SPF") and value != "NONE":
            texts.append(("".join(value) if isinstance(value, list) else value).encode("latin-1", "replace"))
        elif kind == question.record and value == "TIMEOUT":
            return FAILED
        elif kind == question.record and kind != "TXT":
            names.append((value[1] if kind == "MX" else value).rstrip("."))
    return FAILED if late and not texts and not names else Found(tuple(texts), tuple(names))


@pytest.mark.parametrize(("part", "name"), CASES, ids=[f"{p['description'][:20]}-{n}" for p, n in CASES])
def test_the_openspf_suite(part: dict[str, Any], name: str) -> None:
    case = part["tests"][name]
    zone = {key.lower().rstrip("."): records for key, records in part["zone"].items()}
    verdict = run(check(case["host"], case["helo"], case["mailfrom"]), lambda question: of_suite(zone, question))
    assert verdict.result in case["result"]


def asked(zone: dict[str, list[tuple[str, str]]], sender: str = "ann@start.test") -> tuple[str, int]:
    dns = Dns(zone)
    return run(check("192.0.2.9", "mail.start.test", sender), dns).result, len(dns.asked)


def test_bi_042_eleven_includes() -> None:
    zone = {"start.test": [("TXT", "v=spf1 " + " ".join(f"include:i{n}.test" for n in range(11)) + " +all")]}
    zone |= {f"i{n}.test": [("TXT", "v=spf1 ip4:198.51.100.1 -all")] for n in range(11)}
    assert asked(zone) == ("permerror", 11)


def test_bi_042_redirect_loop() -> None:
    zone = {
        "start.test": [("TXT", "v=spf1 redirect=other.test")],
        "other.test": [("TXT", "v=spf1 redirect=start.test")],
    }
    result, questions = asked(zone)
    assert (result, questions) == ("permerror", 11)


def test_bi_042_macro_bomb_is_cut_to_a_name() -> None:
    zone = {"start.test": [("TXT", "v=spf1 exists:%{l}%{l}%{l}%{l}%{l}%{l}.bomb.test -all")]}
    dns = Dns(zone)
    verdict = run(check("192.0.2.9", "mail.start.test", "a." * 31 + "b@start.test"), dns)
    assert verdict.result == "fail"
    assert len(dns.asked) == 2 and len(dns.asked[1].name) <= 253


def test_bi_042_an_mx_with_many_hosts_and_voids() -> None:
    zone = {"start.test": [("TXT", "v=spf1 mx -all"), *[("MX", f"h{n}.test") for n in range(11)]]}
    assert asked(zone) == ("permerror", 2)
    voids = {"start.test": [("TXT", "v=spf1 exists:a.test exists:b.test exists:c.test exists:d.test +all")]}
    assert asked(voids) == ("permerror", 4)


def test_bi_042_a_record_of_a_megabyte_and_one_of_many_terms() -> None:
    for record in ("v=spf1 " + "a " * 300, "v=spf1 " + "x" * 1_000_000):
        with pytest.raises(spf.SpfError):
            spf.parse(record.encode())


def test_the_null_sender_is_asked_for_by_helo() -> None:
    verdict = run(
        check("192.0.2.9", "mail.start.test", ""),
        Dns({"mail.start.test": [("TXT", "v=spf1 a -all"), ("A", "192.0.2.9")]}),
    )
    assert (verdict.result, verdict.identity, verdict.term) == ("pass", "helo", "a")


def test_a_failed_look_up_is_never_a_pass() -> None:
    assert asked({"start.test": [("TXT", "!")]})[0] == "temperror"
    assert asked({"start.test": [("TXT", "v=spf1 a:down.test +all")], "down.test": [("A", "!")]})[0] == "temperror"


@pytest.mark.parametrize("helo", ["[127.0.0.1]", "x", "", "a b\r\nc.test", "é.test", "a" * 300 + ".test"])
def test_bi_026_strange_helo_names_ask_nothing(helo: str) -> None:
    dns = Dns({})
    assert run(check("192.0.2.9", helo, ""), dns).result == "none"


def test_an_ipv6_client_written_as_ipv4() -> None:
    zone = {"start.test": [("TXT", "v=spf1 ip4:192.0.2.0/24 -all")]}
    assert run(check("::ffff:192.0.2.9", "h.test", "a@start.test"), Dns(zone)).result == "pass"
    assert run(check("not-an-address", "h.test", "a@start.test"), Dns(zone)).result == "none"
