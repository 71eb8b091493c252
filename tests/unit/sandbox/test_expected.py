"""The table of expected outcomes says what DESIGN 6 says, and the sample people fit it."""

import pytest

from carepost.sandbox import people
from carepost.sandbox.domains import ALL, BY_NAME, Starttls
from carepost.sandbox.expected import BY_DOMAIN, EXPECTED, Result, differs

pytestmark = pytest.mark.fast

#: DESIGN 6 as written: state, method, assurance for a message without an access code
DESIGN = {
    "verified.test": ("sent", "tls", "VERIFIED"),
    "mtasts.test": ("sent", "tls", "AUTHENTICATED"),
    "dane.test": ("sent", "tls", "AUTHENTICATED"),
    "selfsigned.test": ("deposited", "portal", "MAILBOX"),
    "expired.test": ("deposited", "portal", "MAILBOX"),
    "wrongname.test": ("deposited", "portal", "MAILBOX"),
    "plain.test": ("held", "", ""),
    "stripped.test": ("held", "", ""),
    "smime.test": ("sent", "smime", "MESSAGE"),
    "pgp.test": ("sent", "openpgp", "MESSAGE"),
    "greylist.test": ("sent", "tls", "VERIFIED"),
    "slow.test": ("sent", "tls", "VERIFIED"),
    "full.test": ("deferred", "tls", ""),
    "bounce.test": ("failed", "tls", ""),
    "hangup.test": ("deferred", "tls", ""),
}


def test_the_table_is_the_design() -> None:
    said = {
        row.domain: (row.without_code.state, row.without_code.method, row.without_code.assurance) for row in EXPECTED
    }
    assert said == DESIGN


@pytest.mark.parametrize("domain", ["plain.test", "stripped.test", "selfsigned.test", "expired.test", "wrongname.test"])
def test_these_never_see_a_message_and_a_code_opens_the_portal(domain: str) -> None:
    row = BY_DOMAIN[domain]
    assert not row.sees_message
    assert (row.with_code.state, row.with_code.method, row.with_code.assurance) == ("deposited", "portal", "PORTAL")


def test_mailbox_assurance_names_its_rule() -> None:
    for row in EXPECTED:
        if row.without_code.assurance == "MAILBOX":
            assert row.without_code.rule == "portal-by-mail"


def test_differs_names_what_is_wrong() -> None:
    row = BY_DOMAIN["plain.test"]
    assert differs(row, code=False, state="held", method="", assurance="") == ""
    assert differs(row, code=True, state="sent", method="tls", assurance="NONE") == (
        "state deposited (not sent), method portal (not tls), assurance PORTAL (not NONE)"
    )
    assert row.without_code == Result("held", reason="needs-access-code")


def test_one_person_in_each_domain_with_a_code_where_only_a_code_helps() -> None:
    assert [sample.domain for sample in people.SAMPLES] == [row.domain for row in EXPECTED]
    assert len({sample.address for sample in (*people.SAMPLES, *people.WITHOUT_CODE)}) == len(EXPECTED) + 2
    for sample in people.SAMPLES:
        assert bool(sample.code) == (BY_DOMAIN[sample.domain].without_code.state == "held")


def test_samples_are_plainly_invented_and_carry_the_canary() -> None:
    for sample in people.SAMPLES:
        raw = people.mime(sample)
        assert people.CANARY.encode() in raw
        assert sample.code == "" or sample.code.encode() not in raw
        request = people.request(sample)
        assert request.subject == sample.subject
        assert (request.protection is not None) == bool(sample.code)
        assert sample.address.endswith(".test")


def test_domains_are_all_under_test_and_named_once() -> None:
    assert len(BY_NAME) == len(ALL)
    assert all(domain.name.endswith(".test") and domain.offers for domain in ALL)
    assert BY_NAME["plain.test"].starttls is Starttls.NEVER
