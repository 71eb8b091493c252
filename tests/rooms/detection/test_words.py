"""An organisation's words, patterns and exceptions: sealed, in versions, known to the engine at once, carried to the
workers; and what somebody calls wrong is known by a keyed hash alone."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from django.conf import settings

from carepost.detection import acts, entries, looking, select
from carepost.detection.entries import Recipient, Sender
from carepost.detection.models import Vocabulary, WrongFinding
from carepost.directory.types import OrgSnapshot
from carepost.ground.errors import CarepostError, NotFound
from carepost.phi.types import Custom, Exemption, Findings, Level, Pattern, Score, Shown, Strength, Where, Word
from carepost.tenancy import events, names
from carepost.tenancy.permissions import Forbidden
from carepost.wire.doors import InspectAnswer
from carepost.wire.types import Actor
from tests.rooms.tenancy.test_engine_views import source
from tests.support.workers import Workers

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

WHY = "agreed with the compliance officer"
WORD = Word("programme", "Project Bluebell", Score.HEALTH, Strength.STRONG)
PATTERN = Pattern("case-number", r"HX-\d{6}", keywords=("case file",))
SHOWN = Shown("ssn", Score.IDENTIFIER, Strength.STRONG, Where.TEXT, 0, 1, "•••-••-••20", b"t" * 16)


def snapshot(org: uuid.UUID) -> OrgSnapshot:
    return source(settings.CAREPOST_KEYS).load(org.bytes).snapshot


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    made = Workers()
    yield made
    made.close()


@pytest.mark.parametrize(
    "entry",
    [WORD, PATTERN, Exemption("footer", phrase="Willow Clinic, 1 Elm Street"), Exemption("codes", pattern=r"WC-\d{4}"),
     Exemption("no-phones", kind="phone"), Sender("newsletter", "news@clinic.test"), Recipient("lab", "lab.test")],
    ids=lambda entry: entry.id,
)  # fmt: skip
def test_what_is_told_reaches_the_engine_at_once_and_goes_again(entry: Any, cast: Any, epoch: Any, told: Any) -> None:
    assert snapshot(cast.clinic).own_words is None
    before = epoch(cast.clinic)
    acts.put(cast.clinic, entry, actor=cast.ada, reason=WHY)
    assert epoch(cast.clinic) == before + 1
    own = snapshot(cast.clinic).own_words
    assert own is not None
    known = [*own.senders, *own.recipients]
    known += [*own.custom.words, *own.custom.patterns, *own.custom.exemptions] if own.custom else []
    assert [one.id for one in known] == [entry.id]
    assert snapshot(cast.harbour).own_words is None, "nothing of it is another organisation's"
    acts.remove(cast.clinic, entry.id, actor=cast.ada, reason=WHY)
    own = snapshot(cast.clinic).own_words
    assert own is not None and (own.custom, own.senders, own.recipients) == (None, (), ())
    changed = [one for one in told() if one.event.kind == "detection.changed"]
    assert [(one.event.facts["rule"], one.personal["reason"]) for one in changed] == [(entry.id, WHY)] * 2
    assert list(Vocabulary.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_nothing_stands_in_clear_in_the_tables(cast: Any) -> None:
    acts.put(cast.clinic, WORD, actor=cast.ada, reason=WHY)
    acts.report(cast.clinic, uuid.uuid4(), SHOWN, actor=cast.olga)
    row, wrong = Vocabulary.objects.get(), WrongFinding.objects.get()
    assert b"luebell" not in bytes(row.sealed) and b"compliance" not in bytes(row.reason)
    assert "•••".encode() not in bytes(wrong.masked)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (Pattern("p", r"(a|b)*"), "no upper limit"),
        (Pattern("p", r"(?=x)y"), "not offered"),
        (Pattern("p", r"(a?){20}(a?){20}"), "too many ways"),
        (Pattern("p", "x"), "almost anything"),
        (Word("w", "!"), "two letters"),
        (Word("", "word"), "an id has"),
        (Exemption("e"), "is empty"),
        (Exemption("e", kind="ssn"), "Only these kinds"),
        (Sender("s", "not an address"), "Give an address"),
        (Recipient("r", "two words.test"), "Give an address"),
    ],
    ids=["unlimited", "look-around", "slow", "everything", "no-letters", "no-name", "empty", "ssn", "sender", "domain"],
)
def test_what_cannot_be_read_safely_is_refused_with_its_mend(entry: Any, said: str, cast: Any) -> None:
    """BI-064: no pattern can make reading slow."""
    with pytest.raises(names.Wrong, match=said):
        acts.put(cast.clinic, entry, actor=cast.ada, reason=WHY)
    assert not Vocabulary.objects.exists()


def test_a_reason_is_asked_for(cast: Any) -> None:
    with pytest.raises(names.Wrong):
        acts.put(cast.clinic, WORD, actor=cast.ada, reason=" ")


ACTIONS: dict[str, Callable[[uuid.UUID, Actor], object]] = {
    "put": lambda org, by: acts.put(org, WORD, actor=by, reason=WHY),
    "remove": lambda org, by: acts.remove(org, "programme", actor=by, reason=WHY),
    "report": lambda org, by: acts.report(org, uuid.uuid4(), SHOWN, actor=by),
    "settle": lambda org, by: acts.settle(org, uuid.uuid4(), exception=True, actor=by, reason=WHY),
    "access_words": select.access_words,
    "access_reports": select.access_reports,
    "counts": select.counts,
    "tried": lambda org, by: looking.tried(org, "", "text", by, lambda: Never()),
    "of_message": lambda org, by: looking.of_message(org, b"", by, lambda: Never()),
}
#: what an operator may, who reads messages and changes no policy
READING = {"report", "of_message"}


class Never:
    def inspect(self, message: bytes, custom: Custom | None, show: bytes) -> InspectAnswer:
        raise AssertionError("nothing is looked into for a stranger")


@pytest.mark.parametrize("who", ["stan", "hal", "olga", "key", "malformed"])
@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_it_is_refused_to_strangers_other_organisations_and_lesser_roles(name: str, who: str, cast: Any) -> None:
    if who == "olga" and name in READING:
        return
    acts.put(cast.clinic, WORD, actor=cast.ada, reason=WHY)
    actors = {
        "stan": cast.stan, "hal": cast.hal, "olga": cast.olga, "key": Actor("key", str(uuid.uuid4())),
        "malformed": Actor("staff", "x' OR 1=1 --"),
    }  # fmt: skip
    before, head = list(Vocabulary.objects.order_by("pk").values()), events.head()
    with pytest.raises(Forbidden):
        ACTIONS[name](cast.clinic, actors[who])
    assert list(Vocabulary.objects.order_by("pk").values()) == before and events.head() == head
    assert not WrongFinding.objects.exists()


def test_another_organisations_report_is_not_there(cast: Any) -> None:
    acts.report(cast.clinic, uuid.uuid4(), SHOWN, actor=cast.olga)
    with pytest.raises(NotFound):
        acts.settle(cast.harbour, WrongFinding.objects.get().pk, exception=True, actor=cast.hal, reason=WHY)
    assert select.access_reports(cast.harbour, cast.hal) == () and select.counts(cast.harbour, cast.hal) == ()
    with pytest.raises(CarepostError):
        acts.remove(cast.harbour, "programme", actor=cast.hal, reason=WHY)


def test_a_text_is_tried_with_the_words_in_force_and_nothing_of_it_is_kept(
    cast: Any, told: Any, workers: Workers
) -> None:
    plain = looking.tried(cast.clinic, "", "Project Bluebell, SSN 536-90-4399, asthma", cast.ada, lambda: workers)
    assert plain.findings is not None and plain.findings.level is Level.PHI_HIGH
    assert {one.kind: one.masked for one in plain.shown}["ssn"] == "•••-••-••99"
    acts.put(cast.clinic, WORD, actor=cast.ada, reason=WHY)
    found = looking.tried(cast.clinic, "", "Project Bluebell, SSN 536-90-4399, asthma", cast.ada, lambda: workers)
    assert "word:programme" in {one.kind for one in found.shown}
    for one in told():
        assert "536-90-4399" not in str(one.personal) and "Bluebell, SSN" not in str(one.personal)
    assert b"4399" not in b"".join(msgspec.json.encode(one) for one in found.shown)


def test_a_finding_called_wrong_can_become_an_exception_that_holds_for_the_next_message(
    cast: Any, told: Any, workers: Workers
) -> None:
    raw = b"From: a@clinic.test\r\nTo: b@x.test\r\n\r\nOur order number SSN 536-90-4399. Patient has asthma.\r\n"
    found = looking.of_message(cast.clinic, raw, cast.olga, lambda: workers)
    assert found.findings is not None and found.findings.level is Level.PHI_HIGH
    (ssn,) = [one for one in found.shown if one.kind == "ssn"]
    for _ in range(2):
        acts.report(cast.clinic, uuid.uuid4(), ssn, actor=cast.olga)
    (report,) = select.access_reports(cast.clinic, cast.ada)
    assert (report.kind, report.masked, report.times, report.state) == ("ssn", "•••-••-••99", 2, "new")
    acts.settle(cast.clinic, uuid.UUID(report.id), exception=True, actor=cast.ada, reason=WHY)
    own = snapshot(cast.clinic).own_words
    assert own is not None and own.custom is not None and own.custom.known is not None
    assert own.custom.known.tokens == (ssn.token,)
    # however it is spaced the next time; and nothing else that looks like it
    for text, level in (("SSN 536 90 4399", False), ("SSN 536-90-4398", True)):
        again = looking.of_message(
            cast.clinic, raw.replace(b"SSN 536-90-4399", text.encode()), cast.olga, lambda: workers
        )
        assert isinstance(again.findings, Findings)
        assert ("ssn" in {one.kind for one in again.shown}) is level, text
    (counted,) = select.counts(cast.clinic, cast.ada)
    assert (counted.kind, counted.state, counted.values, counted.times) == ("ssn", "excepted", 1, 2)
    settled = [one for one in told() if one.event.kind == "detection.report-settled"]
    assert [one.event.facts["state"] for one in settled] == ["excepted"]


def test_a_report_can_be_put_aside(cast: Any) -> None:
    acts.report(cast.clinic, uuid.uuid4(), SHOWN, actor=cast.olga)
    acts.settle(cast.clinic, WrongFinding.objects.get().pk, exception=False, actor=cast.ada, reason=WHY)
    assert not Vocabulary.objects.exists() and WrongFinding.objects.get().state == "dismissed"


@pytest.mark.parametrize("undo", ["removed", "put aside"])
def test_an_exception_of_a_value_is_undone_and_may_be_made_again(undo: str, cast: Any, epoch: Any, told: Any) -> None:
    acts.report(cast.clinic, uuid.uuid4(), SHOWN, actor=cast.olga)
    report = WrongFinding.objects.get().pk

    def tokens() -> tuple[bytes, ...]:
        own = snapshot(cast.clinic).own_words
        return own.custom.known.tokens if own and own.custom and own.custom.known else ()

    for _ in range(2):
        acts.settle(cast.clinic, report, exception=True, actor=cast.ada, reason=WHY)
        assert tokens() == (SHOWN.token,) and WrongFinding.objects.get().state == "excepted"
        before, (name,) = epoch(cast.clinic), entries.named(select.access_words(cast.clinic, cast.ada))
        if undo == "removed":
            acts.remove(cast.clinic, name, actor=cast.ada, reason=WHY)
        else:
            acts.settle(cast.clinic, report, exception=False, actor=cast.ada, reason=WHY)
        assert tokens() == () and epoch(cast.clinic) == before + 1, "it counts again at once"
        assert WrongFinding.objects.get().state == "dismissed", "and its report says so"
    settled = [one.event.facts for one in told() if one.event.kind in ("detection.report-settled", "detection.changed")]
    assert len(settled) == 4
    # another value of the same kind stays as it was
    acts.report(cast.clinic, uuid.uuid4(), msgspec.structs.replace(SHOWN, token=b"u" * 16), actor=cast.olga)
    other = WrongFinding.objects.exclude(pk=report).get()
    acts.settle(cast.clinic, other.pk, exception=True, actor=cast.ada, reason=WHY)
    acts.settle(cast.clinic, report, exception=False, actor=cast.ada, reason=WHY)
    assert tokens() == (b"u" * 16,)


def test_a_name_is_of_one_thing(cast: Any) -> None:
    """A word by the name of an exception would silently end it."""
    acts.put(cast.clinic, Sender("newsletter", "news@clinic.test"), actor=cast.ada, reason=WHY)
    with pytest.raises(names.Wrong, match="is the name of a sender not read"):
        acts.put(cast.clinic, Word("newsletter", "Project Bluebell"), actor=cast.ada, reason=WHY)
    acts.put(cast.clinic, Sender("newsletter", "letter@clinic.test"), actor=cast.ada, reason=WHY)
    (one,) = entries.named(select.access_words(cast.clinic, cast.ada)).values()
    assert one == Sender("newsletter", "letter@clinic.test")


def test_an_organisations_token_is_of_no_other(cast: Any, workers: Workers) -> None:
    raw = b"From: a@clinic.test\r\nTo: b@x.test\r\n\r\nSSN 536-90-4399, asthma\r\n"
    one = looking.of_message(cast.clinic, raw, cast.ada, lambda: workers)
    other = looking.of_message(cast.harbour, raw, cast.hal, lambda: workers)
    tokens = [{s.kind: s.token for s in found.shown}["ssn"] for found in (one, other)]
    assert tokens[0] != tokens[1]


def test_every_entry_says_in_words_what_it_does(cast: Any) -> None:
    for entry in (WORD, PATTERN, Exemption("e", kind="phone"), Sender("s", "clinic.test"), Recipient("r", "x.test")):
        acts.put(cast.clinic, entry, actor=cast.ada, reason=WHY)
    said = {name: entries.says(one) for name, one in entries.named(select.access_words(cast.clinic, cast.ada)).items()}
    assert said["programme"] == "“Project Bluebell”: counts as health information, alone"
    assert said["case-number"].startswith("“HX-\\d{6}”, near case file: counts as an identifier")
    assert said["e"] == "findings of the kind phone never count"
    assert (said["s"], said["r"]) == ("what clinic.test sends is not read", "what goes to x.test is not read")
