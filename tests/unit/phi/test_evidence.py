"""Weak evidence: each principle with a text that speaks of a person's health, and one like it that does not."""

import pytest

from carepost.phi import evidence, lists
from carepost.phi.explain import explain
from carepost.phi.fold import look
from carepost.phi.inspect import inspect
from carepost.phi.level import level
from carepost.phi.types import Genre, Level, Part, Recipient, Where

pytestmark = pytest.mark.fast

PERSON, DESK = Recipient("pat@mailbox.example"), Recipient("intake@partner.example")

#: what it shows, a text of a person's health, one like it that is none
PAIRS = [
    (
        "a part of the body that is theirs",
        "Hi Maria, keep your elbow in the splint and rest it. If it swells call the nurse.",
        "Hi Maria, keep your receipt in the drawer. If the price changes call the store.",
    ),
    (
        "an appointment for a tooth, and for a car",
        "Hi Maria, your tooth can be filled on Monday at 9. Numbness wears off by noon.",
        "Hi Maria, your car can be picked up on Monday at 9. The garage closes at noon.",
    ),
    (
        "one's own words about oneself",
        "Hello doctor, my knee is swollen again and the pills upset my stomach. Can I come in? Maria",
        "Hello Bob, my laptop is slow again and the updates failed. Can I come in? Maria",
    ),
    (
        "a family member who is ill",
        "Dear Maria, your mother slept badly, would not swallow her pills and had a fever. Please call the ward.",
        "Dear Maria, your mother called and would like the blue chairs for the party. Please call the store.",
    ),
    (
        "a letter, and a leaflet for everybody",
        "Dear Maria, your cough has lasted three weeks, so stop the tablets and come in for a chest film tomorrow.",
        "Coughs: what people should know. Most adults recover. Studies show that asthma is a risk. Webinar.",
    ),
    (
        "a procedure for one, and one for sale",
        "Hi Maria, nothing to eat after midnight before your colonoscopy tomorrow, and someone must drive you home.",
        "Hi Maria, our colonoscopy software saves your customers money. Register for a free demo and invoices.",
    ),
]


@pytest.mark.parametrize(("text", "like"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_what_is_of_a_persons_health_and_what_only_looks_like_it(text: str, like: str) -> None:
    assert level(inspect([Part(Where.TEXT, text)]), PERSON) >= Level.PHI_LIKELY
    assert level(inspect([Part(Where.TEXT, like)]), PERSON) < Level.PHI_LIKELY


@pytest.mark.parametrize(
    ("text", "likely"),
    [
        ("Sampleton 84 f, fx femur, nwb, foley, confused, lasix 40 iv bid", True),
        ("fx femur, nwb, foley, confused, lasix 40 iv bid", False),
        ("Inmate: Sampleton, Zorro. Seizure at intake, given ativan, now in the medical bay.", True),
        ("Seizure at intake, given ativan, now in the medical bay.", False),
    ],
)
def test_a_copy_to_a_desk_needs_somebody_to_be_about(text: str, likely: bool) -> None:
    assert (level(inspect([Part(Where.TEXT, text)]), DESK) >= Level.PHI_LIKELY) is likely


def test_without_a_word_of_health_nothing_is_likely() -> None:
    text = "Dear Maria, your visit on Monday at 9 is confirmed. Please reply or call. Sincerely, Bob"
    assert level(inspect([Part(Where.TEXT, text)]), PERSON) < Level.PHI_LIKELY


def test_evidence_never_takes_away_a_strong_identifier_beside_health() -> None:
    text = "Webinar: studies, invoices and servers for people and patients. SSN 512-44-9087, asthma. Unsubscribe"
    assert level(inspect([Part(Where.TEXT, text)]), DESK) is Level.PHI_HIGH


def test_places_that_a_machine_fills_in_make_a_form() -> None:
    text = "Dear [first name], your [name of test] results are in. Call [phone] to see {{doctor name}}."
    found = inspect([Part(Where.TEXT, text)])
    assert found.genre is Genre.FORM
    assert level(found, PERSON) < Level.PHI_LIKELY
    filled = "Dear Maria, your biopsy results are in. Call 555-0100 to see Dr. Fabricant."
    assert level(inspect([Part(Where.TEXT, filled)]), PERSON) is Level.PHI_LIKELY


def test_a_stretch_far_down_a_long_thread_is_found() -> None:
    filler = "The committee met about the parking lot and the new signs for the garage. " * 60
    letter = "Hi Maria, keep your elbow in the splint and rest it. If it swells call the nurse. " * 3
    assert level(inspect([Part(Where.TEXT, filler)]), PERSON) is Level.NONE
    assert level(inspect([Part(Where.TEXT, filler + letter + filler)]), PERSON) is Level.PHI_LIKELY


def test_stretches_overlap_and_carry_the_subject() -> None:
    body = evidence.Source(look("your knee " * 400), (), (), head=False)
    subject = evidence.Source(look("stitches"), (), (), head=True)
    blocks = list(evidence.stretches([subject, body]))
    assert len(blocks) == 11
    assert all("stitches" in block.words and "knee" in block.words for block in blocks)
    assert next(evidence.stretches([subject])).words == {"stitches"}


def test_every_weight_is_of_something_that_is_counted() -> None:
    classes = set(lists.classes())
    for name, weight in lists.weights().items():
        assert abs(weight) < 6, name
        if name.startswith("word "):
            assert name.removeprefix("word ") in classes


def test_explanations_of_weak_evidence_hold_no_word_of_the_text() -> None:
    found = inspect([Part(Where.TEXT, PAIRS[0][1])])
    assert not any(word in phrase for phrase in explain(found) for word in ("elbow", "splint", "Maria"))
