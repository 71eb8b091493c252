"""`bounces.md` is the table: every line of it is a case (deliverability.md §5)."""

from pathlib import Path

import pytest

from carepost.rfc.bounces import MEANINGS, Action, Class, classify

pytestmark = pytest.mark.fast

_LINES = [
    [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    for line in (Path(__file__).parent / "bounces.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and "`" in line + "`" and not line.startswith("| system")
]
#: (what was said, reason, class, action)
CASES = [(said.strip("`") if said.startswith("`") else "", *rest) for _, said, *rest in _LINES]


def test_the_table_is_read_whole() -> None:
    assert len(CASES) >= 70
    assert {reason for _, reason, _, _ in CASES} == set(MEANINGS) - {"dns-failure", "too-many-recipients"}


@pytest.mark.parametrize(("said", "reason", "klass", "action"), CASES, ids=[str(n) for n in range(len(CASES))])
def test_a_refusal_means_what_the_table_says(said: str, reason: str, klass: str, action: str) -> None:
    found = classify(said)
    assert (found.reason, found.klass.value, found.action.value) == (reason, klass, action), said


def test_only_what_is_about_the_address_gives_it_up() -> None:
    for reason, meaning in MEANINGS.items():
        assert (meaning.action is Action.SUPPRESS) == (meaning.klass is Class.HARD), reason


@pytest.mark.parametrize("reason", ["user-unknown", "mailbox-inactive", "moved", "domain-unknown"])
def test_nothing_is_given_up_under_a_temporary_code(reason: str) -> None:
    said = {"user-unknown": "no such user", "mailbox-inactive": "mailbox disabled", "moved": "user has moved",
            "domain-unknown": "host not found"}[reason]  # fmt: skip
    assert classify(said, "4.1.1", 450).klass is Class.SOFT
    assert classify(said, "5.1.1", 550).klass is Class.HARD


def test_names_of_hosts_and_addresses_are_no_reasons() -> None:
    """A mailbox called `spam`, a host called `mx`, a link to a policy page."""
    assert (
        classify("550 5.1.1 <spam@virus.test>: user unknown, see https://x.test/policy/spam").reason == "user-unknown"
    )


def test_text_of_any_length_and_kind_is_answered() -> None:
    for text in (
        "",
        "\0" * 5_000,
        "a" * 100_000,
        "550 " * 10_000,
        "user " * 20_000,
        "é" * 5_000,
        "mailbox " * 9_000 + "!",
    ):
        assert classify(text).reason in MEANINGS
