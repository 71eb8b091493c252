"""The policy as a document (A1.24, A15.7): all in force stands in it once, nothing personal where none may."""

import pytest

from carepost.policy import document
from carepost.policy.types import Assurance, Attachment, Level, Method, Rule

pytestmark = pytest.mark.fast

RULES = (
    (Rule("lists", levels=(Level.BULK,), action="approve"), ""),
    (Rule("results", levels=(Level.PHI_HIGH,), floor=Assurance.MESSAGE), ""),
    (Rule("macros", attachments=(Attachment.MACRO,), tags=("odd",)), "Heart"),
    (Rule("secure", header="subject", contains="[secure]", remove=True, methods=(Method.PORTAL,)), ""),
    (Rule("lab", recipient="jo@lab.test", floor=Assurance.AUTHENTICATED, words="Ask *Jo* <b>first</b>"), ""),
    (Rule("plain", recipient="pat@home.test", floor=Assurance.NONE, attestation="Pat asked for it"), ""),
    (Rule("portal-by-mail", portal_by_mail=True), ""),
    (Rule("house", setting=True, sender_domain="clinic.test", floor=Assurance.AUTHENTICATED), ""),
)


def stated(*rules: tuple[Rule, str], holds: int = 0, content_days: int = 2192) -> document.Stated:
    edition = document.Edition(7, 1_763_720_000_000_000, "ann@clinic.test", "Jane\n# asked")
    return document.Stated(
        "Maple *Clinic*", Assurance.VERIFIED, 7, "7-abc", rules, (edition,), 1_763_730_000_000_000,
        content_days, 2192, 28, 30, holds,
    )  # fmt: skip


def by_title(made: list[document.Section]) -> dict[str, list[str]]:
    return {one.title: [name for name, _ in one.items] for one in made}


def test_each_rule_stands_once_under_what_it_does() -> None:
    found = by_title(document.sections(stated(*RULES)))
    assert found["What does not leave by itself"] == ["lists"]
    assert found["What sensitive mail needs"] == ["results", "macros"]
    assert found["What people can ask for"] == ["secure"]
    assert found["Partners, senders and other mail"] == ["lab"]
    assert found["Where less is required, and who vouched for it"] == ["plain", "portal-by-mail"]
    assert found["Defaults"] == ["house"]
    del found["Versions"]
    assert sorted(name for names in found.values() for name in names) == sorted(rule.id for rule, _ in RULES)


def test_what_is_not_there_is_said() -> None:
    text = document.markdown(stated())
    for sentence in ("No rule refuses mail", "No rule asks what a message says", "Nowhere.", "No hold is in force"):
        assert sentence in text
    assert "No rule asks what a message says" not in document.markdown(stated(*RULES))
    assert "for ever" in document.markdown(stated(content_days=0))
    assert "Holds in force: 2." in document.markdown(stated(holds=2))


def test_what_is_typed_stays_text() -> None:
    text = document.markdown(stated(*RULES))
    assert "# Protection of e-mail at Maple \\*Clinic\\*" in text
    assert "Ask \\*Jo\\* \\<b\\>first\\</b\\>" in text
    assert "Jane \\# asked" in text and "\n# asked" not in text
    assert "2025-11-21 10:13 UTC" in text


def test_for_others_nothing_in_it_tells_of_a_person() -> None:
    text = document.markdown(stated(*RULES), persons=False)
    for said in ("jo@lab", "pat@home", "Pat asked", "Jo", "Jane", "ann@", "[secure]", "results", "plain"):
        assert said not in text
    assert "one person at lab.test" in text
    assert "AUTHENTICATED" in text and "attested" in text
