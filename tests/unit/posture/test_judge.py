"""How what is seen of a destination changes what is believed of it."""

import pytest

from carepost.policy.types import Assurance, MtaSts, Seen, Ternary
from carepost.posture import Measured, Record, judge

pytestmark = pytest.mark.fast

HOUR = 3_600_000_000
DAY = 24 * HOUR
NOW = 1_800_000_000_000_000
VERIFIED = Measured(hosts=("mx.there.test",), tls=Assurance.VERIFIED, starttls=True, mta_sts="none", dane="no")


def after(*steps: tuple[Measured, int]) -> Record:
    record = Record("there.test")
    for measured, at in steps:
        record = judge.learn(record, measured, at)
    return record


def test_a_domain_nobody_has_looked_at_is_unknown_in_everything() -> None:
    assert judge.seen(Record("there.test"), NOW) == Seen()


def test_what_was_measured_is_expected_again() -> None:
    seen = judge.seen(after((VERIFIED, NOW)), NOW + HOUR)
    assert seen == Seen(Assurance.VERIFIED, Ternary.YES, MtaSts.NONE, Ternary.NO, False)


def test_a_measurement_of_long_ago_is_no_expectation() -> None:
    assert judge.seen(after((VERIFIED, NOW)), NOW + 31 * DAY).tls is None


def test_losing_starttls_weakens_until_it_was_back_for_a_day() -> None:
    lost = Measured(tls=Assurance.NONE, starttls=False)
    record = after((VERIFIED, NOW), (lost, NOW + HOUR))
    assert judge.weakened(record, NOW + HOUR) == "tls-lost"
    back = judge.learn(record, VERIFIED, NOW + 2 * HOUR)
    assert judge.weakened(back, NOW + 3 * HOUR) == "tls-lost"
    assert judge.weakened(back, NOW + 2 * HOUR + DAY) == ""


def test_losing_it_again_begins_the_day_anew() -> None:
    lost = Measured(tls=Assurance.NONE, starttls=False)
    record = after((VERIFIED, NOW), (lost, NOW + HOUR), (VERIFIED, NOW + 2 * HOUR), (lost, NOW + 20 * HOUR))
    record = judge.learn(record, VERIFIED, NOW + 21 * HOUR)
    assert judge.weakened(record, NOW + 27 * HOUR) == "tls-lost"


def test_starttls_once_seen_stays_seen_also_when_it_is_lost() -> None:
    """DESIGN 3: to a destination once seen with TLS never in clear."""
    record = after((VERIFIED, NOW), (Measured(tls=Assurance.NONE, starttls=False), NOW + HOUR))
    assert judge.seen(record, NOW + 90 * DAY).starttls is Ternary.YES


def test_never_having_offered_it_is_no_loss() -> None:
    record = after((Measured(tls=Assurance.NONE, starttls=False), NOW))
    assert judge.weakened(record, NOW) == ""
    assert judge.seen(record, NOW).starttls is Ternary.NO


def test_a_moved_mx_in_unsigned_dns_weakens_for_a_day() -> None:
    record = after((VERIFIED, NOW), (Measured(hosts=("mx.elsewhere.test",)), NOW + HOUR))
    assert judge.weakened(record, NOW + 2 * HOUR) == "mx-moved"
    stable = judge.learn(record, Measured(hosts=("mx.elsewhere.test",)), NOW + HOUR + DAY)
    assert judge.weakened(stable, NOW + HOUR + DAY) == ""
    assert stable.hosts == ("mx.elsewhere.test",)


def test_a_moved_mx_that_moves_again_begins_the_day_anew() -> None:
    record = after(
        (VERIFIED, NOW),
        (Measured(hosts=("mx.elsewhere.test",)), NOW + HOUR),
        (Measured(hosts=("mx.third.test",)), NOW + 20 * HOUR),
    )
    assert judge.weakened(record, NOW + 30 * HOUR) == "mx-moved"


def test_an_mx_that_comes_back_is_believed_again() -> None:
    record = after((VERIFIED, NOW), (Measured(hosts=("mx.elsewhere.test",)), NOW + HOUR), (VERIFIED, NOW + 2 * HOUR))
    assert judge.weakened(record, NOW + 2 * HOUR) == ""


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        (("mx1.mail.example",), ("mx1.mail.example", "mx2.mail.example"), False),
        (("mx1.mail.example",), ("mx2.mail.example",), False),
        (("mx1.mail.example", "mx2.mail.example"), ("mx1.mail.example",), False),
        (("mx.mail.example",), ("mx.other.example",), True),
        (("mx.mail.example",), ("mx.mail.example", "mx.evil.test"), True),
        (("mail.test",), ("evil.test",), True),
    ],
)
def test_a_sibling_is_no_move(before: tuple[str, ...], now: tuple[str, ...], moved: bool) -> None:
    assert judge.moved(before, now) is moved


def test_signed_dns_may_move_freely() -> None:
    record = after((VERIFIED, NOW), (Measured(hosts=("mx.elsewhere.test",), secure=True), NOW + HOUR))
    assert judge.weakened(record, NOW + HOUR) == ""
    assert record.hosts == ("mx.elsewhere.test",)


def test_an_unknown_measurement_changes_nothing() -> None:
    record = after((VERIFIED, NOW))
    assert judge.learn(record, Measured(), NOW + HOUR) == record


def test_the_same_measurement_again_is_no_write() -> None:
    record = after((VERIFIED, NOW))
    assert judge.learn(record, VERIFIED, NOW + HOUR) == record
