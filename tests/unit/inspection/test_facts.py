"""From what was found to what policy asks: nothing unread is ever called absent."""

import msgspec
import pytest

from carepost.inspection.facts import facts, needs
from carepost.inspection.types import Content, FileFacts, Findings, Level, Needs, Verdict, Virus
from carepost.phi.documents.types import Kind, Reading, Trait
from carepost.policy import content as policy
from carepost.policy.ternary import Ternary

pytestmark = pytest.mark.fast

YES, NO, UNKNOWN = Ternary.YES, Ternary.NO, Ternary.UNKNOWN


def file(
    kind: Kind, reading: Reading = Reading.READ, reason: str = "", *traits: Trait, inline: bool = False
) -> FileFacts:
    return FileFacts(1, 0, kind, reading, reason, traits, 10, inline)


def content(*files: FileFacts, level: Level | None = Level.NONE, unknown: tuple[str, ...] = ()) -> Content:
    return Content(level=level, findings=Findings(), files=files, unknown=unknown)


def test_nothing_looked_at_is_all_unknown() -> None:
    assert facts(Content()) == policy.ContentFacts()
    assert facts(Content(unknown=("too-slow",))) == policy.ContentFacts()


def test_a_message_without_files() -> None:
    found = facts(content())
    assert (found.level, found.attached, found.macro, found.encrypted, found.mismatch) == (
        policy.Level.NONE, NO, NO, NO, NO,
    )  # fmt: skip


@pytest.mark.parametrize("level", Level, ids=lambda level: level.word)
def test_levels_have_the_same_words(level: Level) -> None:
    assert facts(content(level=level)).level.value == level.word


@pytest.mark.parametrize("level", [Level.NONE, Level.HEALTH_GENERIC, Level.PII_ONLY, Level.PHI_LIKELY])
def test_law_3_what_was_not_read_makes_the_level_unknown(level: Level) -> None:
    assert facts(content(level=level, unknown=("encrypted",))).level is policy.Level.UNKNOWN


def test_the_highest_level_is_known_whatever_else_was_not_read() -> None:
    assert facts(content(level=Level.PHI_HIGH, unknown=("image",))).level is policy.Level.PHI_HIGH


def test_pictures_make_nothing_unknown_only_where_that_is_attested() -> None:
    picture = content(file(Kind.IMAGE, Reading.UNREADABLE, "image"), unknown=("image",))
    assert facts(picture).level is policy.Level.UNKNOWN
    assert facts(picture, pictures=False).level is policy.Level.NONE
    both = content(unknown=("encrypted", "image"))
    assert facts(both, pictures=False).level is policy.Level.UNKNOWN


@pytest.mark.parametrize(
    ("files", "macro", "encrypted", "mismatch"),
    [
        ([file(Kind.DOCX)], NO, NO, NO),
        ([file(Kind.DOCX, Reading.READ, "", Trait.MACROS)], YES, NO, NO),
        ([file(Kind.PDF, Reading.READ, "", Trait.ACTIVE)], YES, NO, NO),
        ([file(Kind.EXECUTABLE, Reading.UNREADABLE, "executable", Trait.EXECUTABLE)], YES, UNKNOWN, UNKNOWN),
        ([file(Kind.ZIP), file(Kind.UNKNOWN, Reading.UNREADABLE, "encrypted", Trait.ENCRYPTED)], UNKNOWN, YES, UNKNOWN),
        ([file(Kind.ARCHIVE, Reading.UNREADABLE, "archive-format")], UNKNOWN, UNKNOWN, UNKNOWN),
        ([file(Kind.ZIP, Reading.UNREADABLE, "ratio", Trait.BOMB)], UNKNOWN, UNKNOWN, UNKNOWN),
        ([file(Kind.IMAGE, Reading.UNREADABLE, "image")], NO, NO, NO),
        ([file(Kind.PDF, Reading.UNREADABLE, "image-only")], NO, NO, NO),
        ([file(Kind.RTF, Reading.PARTLY, "embedded-object", Trait.EMBEDDED)], UNKNOWN, UNKNOWN, UNKNOWN),
        ([file(Kind.TEXT, Reading.PARTLY, "too-long")], NO, NO, NO),
        ([file(Kind.HTML, Reading.READ, "", Trait.MISMATCH)], NO, NO, YES),
        ([file(Kind.PDF, Reading.READ, "", Trait.REORDERED_NAME)], NO, NO, YES),
    ],
    ids=lambda value: str(value)[:40],
)
def test_questions_about_files(files: list[FileFacts], macro: Ternary, encrypted: Ternary, mismatch: Ternary) -> None:
    found = facts(content(*files))
    assert (found.macro, found.encrypted, found.mismatch) == (macro, encrypted, mismatch)
    assert found.attached is YES


def test_pictures_in_the_page_and_signatures_are_no_attachments() -> None:
    beside = [file(Kind.IMAGE, Reading.UNREADABLE, "image", inline=True), file(Kind.SIGNATURE)]
    assert facts(content(*beside)).attached is NO
    assert facts(content(file(Kind.PDF, inline=True))).attached is YES
    assert facts(content(file(Kind.IMAGE, Reading.READ, "", Trait.MISMATCH, inline=True))).attached is YES


@pytest.mark.parametrize(
    ("verdict", "malware"),
    [
        (Verdict(), policy.Malware.UNKNOWN),
        (Verdict(Virus.CLEAN), policy.Malware.CLEAN),
        (Verdict(Virus.INFECTED, "x"), policy.Malware.INFECTED),
        (Verdict(Virus.INCOMPLETE, "", "encrypted"), policy.Malware.UNAVAILABLE),
        (Verdict(Virus.UNAVAILABLE, "", "not-running"), policy.Malware.UNAVAILABLE),
        (Verdict(Virus.UNAVAILABLE, "", "not-configured"), policy.Malware.OFF),
    ],
    ids=str,
)
def test_the_scanners_word(verdict: Verdict, malware: policy.Malware) -> None:
    assert facts(Content(virus=verdict)).malware is malware


def test_a_virus_in_mail_without_files_is_not_explained_away() -> None:
    found = facts(Content(level=Level.NONE, files=(), virus=Verdict(Virus.INFECTED, "x")))
    assert policy.holds(policy.Attachment.INFECTED, found) is YES


def test_only_what_is_wanted_is_asked_for() -> None:
    assert needs([]) == Needs(level=False, files=False, virus=False)
    assert needs([policy.Need.LEVEL]) == Needs(level=True, files=False, virus=False)
    assert needs([policy.Need.ATTACHMENTS]) == Needs(level=False, files=True, virus=True)


@pytest.mark.parametrize(
    ("given", "bulk"),
    [
        (Content(), UNKNOWN),
        (content(), NO),
        (content(unknown=("encrypted",)), UNKNOWN),
        (content(level=Level.PHI_HIGH, unknown=("encrypted",)), UNKNOWN),
        (content(unknown=("image",)), UNKNOWN),
        (msgspec.structs.replace(content(unknown=("encrypted",)), bulk=True), YES),
        (msgspec.structs.replace(content(level=Level.PII_ONLY), bulk=True), YES),
    ],
)
def test_law_3_so_many_identifiers_are_unknown_until_all_was_read(given: Content, bulk: Ternary) -> None:
    assert facts(given).bulk is bulk


def test_unread_pictures_do_not_make_it_unknown_where_that_is_attested() -> None:
    assert facts(content(unknown=("image",)), pictures=False).bulk is NO
