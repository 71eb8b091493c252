"""The packed suppression list: scopes, ends, what changed since, and a million addresses."""

import random

import pytest

from carepost.directory.suppressed import HARD, SCOPES, Suppressed

pytestmark = pytest.mark.fast

TOKEN, OTHER = b"token--1", b"token--2"
ALL, MARKETING, TRANSACTIONAL = SCOPES["all"], SCOPES["marketing"], SCOPES["transactional"]


def row(
    token: bytes, scope: str = "all", reason: str = "request", until: int = 0, removed: int = 0, changed: int = 1
) -> tuple[bytes, str, str, int, int, int]:
    return token, scope, reason, until, removed, changed


def test_a_scope_covers_its_mail_and_no_other() -> None:
    known = Suppressed.read([row(TOKEN, "marketing"), row(OTHER)])
    assert known.covers(TOKEN, MARKETING, 0)
    assert not known.covers(TOKEN, TRANSACTIONAL, 0)
    assert known.covers(OTHER, MARKETING, 0)
    assert known.covers(OTHER, TRANSACTIONAL, 0)
    assert not known.covers(b"token--3", MARKETING, 0)
    assert set(known) == {TOKEN, OTHER}


def test_only_an_address_that_bounced_for_good_keeps_notices_back() -> None:
    known = Suppressed.read([row(TOKEN, reason="bounce"), row(OTHER, reason="complaint")])
    assert known.covers(TOKEN, HARD, 0)
    assert not known.covers(OTHER, HARD, 0)


def test_an_end_is_an_end() -> None:
    known = Suppressed.read([row(TOKEN, until=100)])
    assert known.covers(TOKEN, MARKETING, 99)
    assert not known.covers(TOKEN, MARKETING, 100)


def test_changes_are_put_in_and_taken_out() -> None:
    known = Suppressed.read([row(TOKEN, changed=5)])
    more = known.moved([row(TOKEN, "marketing", changed=6), row(OTHER, changed=7)])
    assert more.mark == 7
    assert set(more) == {TOKEN, OTHER}
    less = more.moved([row(TOKEN, removed=8, changed=8)])
    assert less.covers(TOKEN, MARKETING, 0)
    assert not less.covers(TOKEN, TRANSACTIONAL, 0)
    assert set(known) == {TOKEN}
    assert less.moved([]) is less
    assert not Suppressed()


@pytest.mark.parametrize("at_once", [1, 1_000], ids=["one-by-one", "many"])
def test_changes_lead_where_reading_anew_would(at_once: int) -> None:
    source = random.Random(28)
    rows = [
        row(source.randbytes(1) * 8, source.choice(list(SCOPES)), source.choice(["bounce", "request"]),
            source.choice([0, 50]), source.choice([0, 0, 1]), n)
        for n in range(1_000)
    ]  # fmt: skip
    known = Suppressed()
    for at in range(0, len(rows), at_once):
        known = known.moved(rows[at : at + at_once])
    last = {(token, scope): (reason, until, removed) for token, scope, reason, until, removed, _ in rows}
    for token in {token for token, *_ in rows}:
        for now in (0, 60):
            for bit in (MARKETING, TRANSACTIONAL, HARD):
                expected = any(
                    not removed and not 0 < until <= now
                    and bit & (SCOPES[scope] | (HARD if reason == "bounce" and scope == "all" else 0))
                    for (of, scope), (reason, until, removed) in last.items() if of == token
                )  # fmt: skip
                assert known.covers(token, bit, now) == expected


def test_a_long_list_is_seventeen_octets_an_address() -> None:
    known = Suppressed.read(row(n.to_bytes(8, "big"), changed=n) for n in range(50_000))
    assert len(known._rows) == 50_000 * 17
    assert known.covers((49_999).to_bytes(8, "big"), MARKETING, 0)
    assert (50_000).to_bytes(8, "big") not in known
