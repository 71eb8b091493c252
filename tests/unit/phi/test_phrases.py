"""Phrases and senses: what single words and pairs of words add."""

import pytest

from carepost.phi import evidence, lists, phrases
from carepost.phi.explain import explain
from carepost.phi.inspect import described, inspect
from carepost.phi.types import Level, Part, Where

pytestmark = pytest.mark.fast


def test_numbers_and_given_names_are_one_word_each() -> None:
    assert phrases.tokens("dear maria 40 mg at 9pm") == ["dear", "@", "0", "mg", "at", "0"]


def test_words_and_each_two_that_stand_together() -> None:
    assert set(phrases.phrases(["take", "two", "pills"])) == {"take", "two", "pills", "take two", "two pills"}


def test_a_word_counts_by_its_sense_though_no_message_held_it() -> None:
    senses = lists.valued("meaning")
    assert senses["diarrhea"] > senses["mortgage"]
    assert phrases.score({"ventilator"}) > phrases.score({"mortgage"})


def test_a_text_of_unknown_words_adds_nothing() -> None:
    assert phrases.score({"qqqzx", "qqqzx vvvq"}) == 0.0
    assert phrases.strange({"qqqzx", "qqqzx vvvq", "tablet"}) == {"qqqzx"}


def test_every_weight_is_small_and_of_a_known_count() -> None:
    counted = {
        name
        for text in ("Hi Maria, your knee, his rash, call us. Unsubscribe http://a.example", "nothing")
        for individual in (True, False)
        for numbers, _ in described([Part(Where.TEXT, text)], individual)
        for name in numbers
    }
    assert counted - {name for name in counted if name in lists.weights()} <= {"links"}
    assert all(abs(weight) < 8 for weight in lists.weights().values())


def test_weights_hold_no_name_of_a_person() -> None:
    words = {word for phrase in lists.valued("phrases") for word in phrase.split()}
    assert words.isdisjoint(lists.given_names())


def test_weak_evidence_says_what_it_is_made_of_without_a_word_of_the_text() -> None:
    found = inspect([Part(Where.TEXT, "Keep your elbow in the splint and rest it. If it swells call the nurse today.")])
    assert found.level_individual is Level.PHI_LIKELY
    said = next(phrase for phrase in explain(found) if phrase.startswith("reads like a note about a person's care: "))
    assert "words of treatment" in said and "speaks to one reader" in said
    assert not any(word in said for word in ("elbow", "splint", "swell", "nurse"))


def test_a_copy_to_a_desk_needs_what_could_be_a_name() -> None:
    block = next(evidence.stretches([]))
    assert not evidence.likely(block, None, False) and not evidence.likely(block, None, True)
    about = "Heads up, {} had a seizure at training. He was confused, they took him to hospital and gave him ativan."
    assert inspect([Part(Where.TEXT, about.format("our Yannick"))]).level >= Level.PHI_LIKELY
    assert inspect([Part(Where.TEXT, about.format("a player"))]).level < Level.PHI_LIKELY
