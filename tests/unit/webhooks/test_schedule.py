"""What an answer means, and when the next try is."""

import pytest

from carepost.webhooks import masking, schedule

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("status", "means"),
    [(200, "sent"), (202, "sent"), (204, "sent"), (301, "endpoint"), (302, "endpoint"), (308, "endpoint"),
     (400, "event"), (401, "endpoint"), (404, "endpoint"), (410, "gone"), (413, "event"), (422, "event"),
     (429, "endpoint"), (500, "endpoint"), (503, "endpoint"), (0, "endpoint"), (100, "endpoint")],
)  # fmt: skip
def test_only_2xx_is_success(status: int, means: str) -> None:
    assert schedule.judged(status) == means


def test_waits_grow_with_jitter_and_a_receiver_may_ask_for_more_but_not_for_ever() -> None:
    for number, seconds in enumerate(schedule.WAITS, 1):
        for _ in range(20):
            waited = schedule.wait(number) / schedule.SECOND
            assert seconds * 0.8 <= waited <= seconds * 1.2
    assert schedule.wait(99) <= schedule.WAITS[-1] * 1.2 * schedule.SECOND
    assert schedule.wait(1, asked=60) == 60 * schedule.SECOND
    assert schedule.wait(1, asked=10**9) == schedule.LONGEST_ASKED * schedule.SECOND
    assert len({schedule.wait(5) for _ in range(20)}) > 1
    # all of a day is used before one gives up
    assert sum(schedule.WAITS) * 0.8 < 86_400


def test_of_an_answer_only_known_words_are_kept() -> None:
    echo = b'{"error": "Invalid signature for jane.quillfeather@patient.test, MRN 123456, zebrafish titre"}'
    said = masking.words(echo)
    assert said == "error invalid signature"
    for personal in ("jane", "quillfeather", "patient", "123456", "zebrafish", "titre"):
        assert personal not in said
    assert masking.words(b"\xff\xfe\x00" * 100) == "" and masking.words(b"") == ""
    assert len(masking.words(b"error " * 1_000)) <= masking.LONGEST
