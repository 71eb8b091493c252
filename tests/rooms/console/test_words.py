"""Detection in the console: words and exceptions, a text tried by real workers, findings called wrong on a message."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from django.test import Client

from carepost.archive import books
from carepost.console import records
from carepost.detection.acts import current
from carepost.detection.models import Vocabulary, WrongFinding
from carepost.ground.errors import NotFound
from carepost.phi.types import Custom, Finding, Findings, Level, Score, Strength, Where
from carepost.proof import kinds
from carepost.queue import sealing
from carepost.queue.types import StoredBody
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from carepost.wire.doors import InspectAnswer
from carepost.wire.types import MessageView
from tests.support.desk import sample
from tests.support.mailroom import KeptDoor
from tests.support.outbox import Outbox
from tests.support.workers import Workers

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

RAW = b"From: a@maple.test\r\nTo: b@x.test\r\nSubject: Order\r\n\r\nOrder SSN 536-90-4399. Patient has asthma.\r\n"
WORD = {"what": "word", "name": "programme", "text": "Project Bluebell", "counts": "health", "alone": "on",
        "reason": "our programme"}  # fmt: skip


class Engine(KeptDoor):
    """Real workers, and the bodies of messages that are held."""

    #: what the records say of the message that is held
    view: MessageView

    def __init__(self, workers: Workers) -> None:
        super().__init__()
        self._workers = workers
        self.bodies: dict[tuple[bytes, bytes], StoredBody] = {}

    def inspect(self, message: bytes, custom: Custom | None, show: bytes) -> InspectAnswer:
        return self._workers.inspect(message, custom, show)

    def body(self, org: bytes, message: bytes) -> StoredBody:
        found = self.bodies.get((org, message))
        if found is None:
            raise NotFound
        return found


@pytest.fixture(autouse=True)
def eyes() -> Iterator[None]:
    """The test sees all rows; what it calls asks for its own organisation."""
    with scope.every("the test's own eyes"):
        yield


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    made = Workers()
    yield made
    made.close()


@pytest.fixture
def engine(workers: Workers, log_tables: None, monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine(workers)
    monkeypatch.setattr("carepost.mailbox.door.client", lambda: made)
    books.book.cache_clear()
    return made


@pytest.fixture
def held(maple: Organisation, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> uuid.UUID:
    """A message of Maple whose content the engine still has."""
    engine.view = sample(maple.pk)
    message = uuid.UUID(engine.view.id)
    with scope.organisation(maple.pk):
        chunks, wrapped = sealing.seal_body(books.book(), maple.pk.bytes, message.bytes, RAW)
    engine.bodies[maple.pk.bytes, message.bytes] = StoredBody(chunks, wrapped, b"")

    def access(desk: Any, asked: uuid.UUID) -> Any:
        if (desk.org, asked) != (maple.pk, message):
            raise NotFound
        return engine.view

    monkeypatch.setattr(records, "access_message", access)
    return message


def post(http: Client, path: str, expect: int = 302, **fields: Any) -> str:
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', http.get("/help").content.decode())
    assert token is not None
    answer = http.post(path, {**fields, "csrfmiddlewaretoken": token[1]})
    assert answer.status_code == expect, answer.content.decode()[-2000:]
    return str(answer.content.decode())


def page(http: Client, path: str) -> str:
    return str(http.get(path).content.decode())


def test_a_word_is_added_shown_tried_and_removed(at_desk: Any, engine: Engine) -> None:
    ada = at_desk("administrator")
    assert "None yet" in page(ada, "/detection")
    post(ada, "/detection/add", **WORD)
    assert "“Project Bluebell”: counts as health information, alone" in page(ada, "/detection")
    tried = post(ada, "/detection/try", 200, subject="", text="Project Bluebell, SSN 536-90-4399")
    assert "your word programme" in tried and "•••-••-••99" in tried
    assert "Health information about a person" in tried
    assert "Say why" in post(ada, "/detection/remove", 422, name="programme")
    post(ada, "/detection/remove", name="programme", reason="it ended")
    assert "None yet" in page(ada, "/detection")


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({**WORD, "reason": ""}, "reason", "Say why"),
        ({**WORD, "text": ""}, "text", "Say which"),
        ({**WORD, "what": "pattern", "text": r"(a|b)*"}, "text", "no upper limit"),
        ({**WORD, "what": "pattern", "text": r"\d"}, "text", "would match almost anything"),
        ({**WORD, "what": "pattern", "text": r"HX-\d{6}", "near": "..."}, "near", "keyword needs a letter"),
        ({**WORD, "what": "kind", "kind": ""}, "kind", "Choose the kind"),
        ({**WORD, "what": "sender", "text": "not one"}, "text", "Give an address"),
        ({**WORD, "name": "a name <of> somebody"}, "name", "an id has"),
    ],
    ids=["reason", "text", "pattern", "broad", "keyword", "kind", "sender", "name"],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    fields: Any, field: str, said: str, at_desk: Any, engine: Engine
) -> None:
    shown = post(at_desk("administrator"), "/detection/add", 422, **fields)
    (error,) = re.findall(r'id="id_(\w+)_error" role="alert">([^<]*)<', shown)
    assert (error[0], said in error[1]) == (field, True)
    assert f'aria-describedby="id_{field}_error"' in shown
    assert not Vocabulary.objects.exists()


@pytest.mark.parametrize(
    ("what", "who", "said"),
    [
        ("sender", "@Maple.test", "nothing that your people write is read"),
        ("recipient", "maple.test", "write to each other is read"),
        ("sender", "owl@maple.test", "is of your own domain"),
        ("sender", "partner.test", ""),
        ("recipient", "owl@maple.test", ""),
    ],
)
def test_an_exception_of_ones_own_domain_is_warned_of(
    what: str, who: str, said: str, at_desk: Any, engine: Engine
) -> None:
    ada = at_desk("administrator")
    post(ada, "/detection/add", **{**WORD, "what": what, "text": who})
    told, again = page(ada, "/detection"), page(ada, "/detection")
    assert (told.count(said), again.count(said)) == (2, 1) if said else "Careful" not in told


def test_findings_of_an_excepted_sender_count_for_nothing_and_say_so(
    at_desk: Any, engine: Engine, held: uuid.UUID
) -> None:
    ada = at_desk("administrator")
    assert "leaves this sender" not in page(ada, f"/messages/{held}/findings")
    post(ada, "/detection/add", **{**WORD, "name": "newsletter", "what": "sender", "text": engine.view.sender})
    shown = page(ada, f"/messages/{held}/findings")
    assert shown.count("Your exception “newsletter” leaves this sender or recipient out") == 1


def test_a_finding_called_wrong_becomes_an_exception(
    maple: Organisation, at_desk: Any, engine: Engine, held: uuid.UUID
) -> None:
    olga, ada = at_desk("operator"), at_desk("administrator")
    shown = page(olga, f"/messages/{held}/findings")
    assert "•••-••-••99" in shown and "536-90-4399" not in shown
    token = re.search(r'value="([0-9a-f]{32})" aria-label="SSN', shown)
    assert token is not None
    post(olga, f"/messages/{held}/findings", 422)
    # a token somebody made up is none of this message's
    post(olga, f"/messages/{held}/findings", 422, token="00" * 16)
    assert not WrongFinding.objects.exists()
    post(olga, f"/messages/{held}/findings", token=token[1])
    assert olga.get("/detection/reports").status_code == 404, "an operator changes no policy"
    assert "SSN" in page(ada, "/detection/reports")
    (row,) = WrongFinding.objects.all()
    assert "Say why" in post(ada, f"/detection/reports/{row.pk}", 422, do="except")
    post(ada, f"/detection/reports/{row.pk}", do="except", reason="an order number of our supplier")
    assert "Does not count any more" in page(ada, "/detection/reports")
    assert "SSN" not in page(olga, f"/messages/{held}/findings")
    with scope.organisation(maple.pk):
        assert [value.kind for value in current(maple.pk)[1].values] == ["ssn"]
    exported = post(ada, "/detection/reports/export", 200)
    assert exported.splitlines() == ["kind,place,state,values,times", "ssn,text,excepted,1,1"]


def test_another_organisation_finds_nothing_of_it(at_desk: Any, engine: Engine, held: uuid.UUID) -> None:
    olga, hal = at_desk("operator"), at_desk("administrator", elsewhere=True)
    shown = page(olga, f"/messages/{held}/findings")
    token = re.search(r'value="([0-9a-f]{32})" aria-label="SSN', shown)
    assert token is not None
    post(olga, f"/messages/{held}/findings", token=token[1])
    assert hal.get(f"/messages/{held}/findings").status_code == 404
    post(hal, f"/messages/{held}/findings", 404, token=token[1])
    assert "•••" not in page(hal, "/detection/reports")
    post(hal, f"/detection/reports/{WrongFinding.objects.get().pk}", 404, do="except", reason="r")
    assert WrongFinding.objects.get().state == "new"


def test_a_message_whose_content_is_gone_says_so(at_desk: Any, engine: Engine, held: uuid.UUID) -> None:
    engine.bodies.clear()
    said = page(at_desk("operator"), f"/messages/{held}/findings")
    assert "not here any more" in said and "nothing was looked at" in said


def test_what_was_found_stays_with_the_record_when_the_content_is_gone(
    maple: Organisation, at_desk: Any, engine: Engine, held: uuid.UUID
) -> None:
    """Masked, as long as the event's sealed part is kept; then that it was looked at."""
    engine.bodies.clear()
    found = Findings(
        found=(
            Finding(Score.IDENTIFIER, "ssn", Strength.STRONG, Where.SUBJECT, near="SSN"),
            Finding(Score.HEALTH, "icd10", Strength.STRONG, Where.TEXT, term="E11.9", count=2),
        ),
        level=Level.PHI_HIGH,
    )
    outbox = Outbox().empty()
    for one in engine.view.deliveries[:2]:
        outbox.add(
            maple.pk.bytes, kinds.DELIVERY_INSPECTED, (held.bytes, uuid.UUID(one.id).bytes),
            values={"findings": msgspec.json.encode(found)}, facts={"content": "phi-high", "malware": "clean"},
        )  # fmt: skip
    outbox.commit()
    olga = at_desk("operator")
    shown = page(olga, f"/messages/{held}/findings")
    assert shown.count("SSN near &#x27;SSN&#x27;, subject") == 1, "the same for each recipient is said once"
    assert "ICD-10 code (2 times)" in shown and "E11.9" not in shown
    assert "Health information about a person" in shown and "These are wrong" not in shown
    assert "not here any more" in post(olga, f"/messages/{held}/findings", 409, token="00" * 16)
    # past its retention the sealed part is disposed of, and the leaf stays
    with outbox.store.writing():
        outbox.store.many("UPDATE audit_leaf SET sealed = ? WHERE org = ?", [(b"", maple.pk.bytes)])
    assert "not kept any more" in page(olga, f"/messages/{held}/findings")


def test_what_an_exception_left_unread_is_told_as_that(
    maple: Organisation, at_desk: Any, engine: Engine, held: uuid.UUID
) -> None:
    """Neither "nothing was found" nor "looked at", where nobody looked."""
    engine.bodies.clear()
    outbox = Outbox().empty()
    facts = {"content": "none", "malware": "clean", "exception": "newsletter"}
    outbox.add(maple.pk.bytes, kinds.DELIVERY_INSPECTED, (held.bytes, uuid.UUID(engine.view.deliveries[0].id).bytes),
               facts=facts)  # fmt: skip
    outbox.commit()
    shown = page(at_desk("operator"), f"/messages/{held}/findings")
    assert "Its texts were not read" in shown and "exception “newsletter”" in shown
    assert "Nothing was found" not in shown and "Nothing about a person" not in shown


@pytest.mark.parametrize("role", ["operator", "auditor", "sender"])
def test_only_who_may_change_the_policy_sees_the_words(role: str, at_desk: Any, engine: Engine) -> None:
    http = at_desk(role)
    assert http.get("/detection").status_code == 404
    post(http, "/detection/add", 404, **WORD)
    post(http, "/detection/try", 404, text="x")
    assert not Vocabulary.objects.exists()
