"""An organisation's own words, patterns and exemptions."""

import pytest

from carepost.ground.errors import ConfigError
from carepost.phi.custom import EXEMPTIONS, PATTERNS, WORDS, check
from carepost.phi.explain import explain
from carepost.phi.inspect import inspect
from carepost.phi.types import Custom, Exemption, Level, Part, Pattern, Score, Strength, Where, Word

pytestmark = pytest.mark.fast


def said(text: str, custom: Custom) -> tuple[Level, tuple[str, ...]]:
    found = inspect([Part(Where.TEXT, text)], custom)
    return found.level_individual, explain(found)


def test_a_word_of_health() -> None:
    own = Custom(words=(Word("drops", "Project Bluebell", strength=Strength.STRONG),))
    level, why = said("Your project-bluebell visit is on Monday.", own)
    assert level is Level.PHI_HIGH
    assert "your word drops, line 1" in why
    assert said("Your project visit is on Monday.", own)[0] is Level.NONE


def test_a_pattern_is_an_identifier_near_its_keyword() -> None:
    own = Custom(patterns=(Pattern("hx", r"HX-\d{6}", keywords=("case file",), window=40),))
    assert said("Case file HX-123456: asthma", own)[0] is Level.PHI_HIGH
    assert said("HX-123456: asthma", own)[0] is Level.HEALTH_GENERIC
    assert said("case file" + " x" * 40 + " HX-123456: asthma", own)[0] is Level.HEALTH_GENERIC


def test_different_values_of_a_pattern_count_as_different_identifiers() -> None:
    own = Custom(patterns=(Pattern("hx", r"HX-\d{6}"),))
    text = " ".join(f"HX-1000{n:02}" for n in range(10)) + " HX-100001 asthma"
    found = inspect([Part(Where.TEXT, text)], own)
    assert found.identifiers == 10 and found.bulk


def test_an_exempt_phrase_hides_what_stands_in_it_and_nothing_else() -> None:
    own = Custom(exemptions=(Exemption("name", phrase="Example Diabetes and Asthma Center"),))
    text = "Thanks for your call to the Example Diabetes and Asthma Center."
    assert said(text, own)[0] is Level.NONE
    assert said(text, Custom())[0] is not Level.NONE
    assert said(text + " SSN 512-44-9087, asthma", own)[0] is Level.PHI_HIGH


def test_an_exempt_pattern_and_an_exempt_kind() -> None:
    assert (
        said("MRN 99912345 asthma", Custom(exemptions=(Exemption("tests", pattern=r"999\d{5}"),)))[0] < Level.PII_ONLY
    )
    assert said("MRN 99912345 asthma", Custom(exemptions=(Exemption("mrn", kind="mrn"),)))[0] < Level.PII_ONLY
    assert (
        said("MRN 88812345 asthma", Custom(exemptions=(Exemption("tests", pattern=r"999\d{5}"),)))[0] is Level.PHI_HIGH
    )


@pytest.mark.parametrize(
    ("own", "says"),
    [
        (Custom(words=(Word("", "abc"),)), "an id has"),
        (Custom(words=(Word("w", "-"),)), "Word 'w' must have"),
        (Custom(patterns=(Pattern("p", r"\d+"),)), "no upper limit"),
        (Custom(patterns=(Pattern("p", r"\d\d", score=Score.PERSON),)), "choose one of the two"),
        (Custom(patterns=(Pattern("p", r"\d\d", window=0),)), "1 to 2,000"),
        (Custom(patterns=(Pattern("p", r"\d\d", keywords=("",)),)), "keywords of 1 to 100"),
        (Custom(exemptions=(Exemption("e"),)), "is empty"),
        (Custom(words=tuple(Word(f"w{n}", "abc") for n in range(WORDS + 1))), "remove 1"),
        (Custom(patterns=tuple(Pattern(f"p{n}", "abc") for n in range(PATTERNS + 1))), "remove 1"),
        (Custom(patterns=tuple(Pattern(f"p{n}", r"\d{2,8}[ab]{1,7}") for n in range(7))), "patterns together"),
        (Custom(patterns=(Pattern("p", r"HX\d{4}", keywords=("-",)),)), "a letter or a digit"),
        (Custom(patterns=(Pattern("p", ".."),)), "much of an ordinary letter"),
        (Custom(patterns=(Pattern("p", r"\w{2,20}"),)), "much of an ordinary letter"),
        (Custom(patterns=(Pattern("p", "[^a][^b]"),)), "much of an ordinary letter"),
        (Custom(exemptions=(Exemption("e", pattern=".{2,40}"),)), "Pattern 'e' would match much of an ordinary letter"),
        (Custom(exemptions=(Exemption("e", pattern=r"[a-z]{2,9} [a-z]{2,6}"),)), "much of an ordinary letter"),
        (
            Custom(exemptions=tuple(Exemption(f"e{n}", pattern=r"\d{2,8}[ab]{1,7}") for n in range(7))),
            "patterns together",
        ),
        (Custom(exemptions=tuple(Exemption(f"e{n}", kind="phone") for n in range(EXEMPTIONS + 1))), "remove 1"),
    ],
)
def test_what_is_refused_at_entry(own: Custom, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check(own)
    assert says in refused.value.public


def test_a_word_may_be_an_identifier() -> None:
    own = Custom(words=(Word("vip", "Subject Zero", Score.IDENTIFIER, Strength.STRONG),))
    assert said("Subject Zero has asthma", own)[0] is Level.PHI_HIGH


@pytest.mark.parametrize(
    "pattern",
    [
        r"HX-\d{6}",
        r"\d{8}",
        r"\w{2}\d{6}",
        r"[A-Z]{2}\d{4,8}",
        r"\d{3}-\d{4}",
        r"Suite \d{1,4}",
        r"(case|file) \w{4,9}",
    ],
)
def test_what_organisations_write_is_accepted(pattern: str) -> None:
    check(Custom(patterns=(Pattern("p", pattern),), exemptions=(Exemption("e", pattern=pattern),)))


def test_what_was_told_before_it_was_asked_for_is_still_read() -> None:
    """A version of the words that stands is no reason to leave a message unread."""
    old = Custom(exemptions=(Exemption("e", pattern=".{2,40}"),))
    with pytest.raises(ConfigError):
        check(old)
    assert said("asthma", old)[0] is Level.NONE
