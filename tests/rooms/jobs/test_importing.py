"""Long lists of addresses nothing is sent to, as jobs: received in parts, tried or put on the list a part at a time,
each line once whatever is killed, and what is wrong told by the line's number alone."""

import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from carepost.destinations import suppression_lines, suppressions
from carepost.ground import clock
from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.jobs import acts, importing, lines, suppressing, undoing, work
from carepost.jobs.models import Job, Part, Piece
from carepost.jobs.types import Asked, Kind, View
from carepost.tenancy import events, scope
from carepost.tenancy.actions import access, suppression
from carepost.tenancy.models import OrgEpoch, OutboxEvent, Suppression
from carepost.tenancy.permissions import BOOTSTRAP, Forbidden
from carepost.wire.types import Actor
from tests.support.outbox import Outbox, office_events

pytestmark = pytest.mark.django_db(databases=["default", "records"])


@pytest.fixture(autouse=True)
def _eyes() -> Any:
    with scope.every("the test's own eyes"):
        yield


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PART_LINES", 4)


@pytest.fixture
def org(cast: Any, outbox: Outbox) -> uuid.UUID:
    return uuid.UUID(bytes=cast.maple)


def key(org: uuid.UUID, *scopes: str) -> Actor:
    return Actor("key", access.add_key(org, "machine", scopes, actor=BOOTSTRAP).id)


def begun(org: uuid.UUID, data: bytes, form: str = "csv", *, dry_run: bool = False, **given: Any) -> View:
    """In blocks that end anywhere."""
    blocks = importing.octets(data, 7)
    return importing.begin(org, blocks, actor=given.pop("actor", BOOTSTRAP), form=form, dry_run=dry_run, **given)


def finish(job: View, doing: work.Work | None = None) -> View:
    doing = doing or work.Work(threading.Event())
    for _ in range(50):
        if not doing.step(clock.now()):
            break
    row = Job.objects.get(pk=job.id)
    assert row.state == "done"
    return acts.view(row)


def problems(org: uuid.UUID, job: View) -> str:
    return b"".join(acts.access_result(org, uuid.UUID(job.id), actor=BOOTSTRAP)[1]).decode()


def addresses(org: uuid.UUID) -> set[str]:
    return {row.address for row in suppressions.listing(org.bytes, BOOTSTRAP)}


FILE = (
    b"\xef\xbb\xbfEmail,reason,note\r\nann@there.test,bounce,\r\nno address,,\r\nbob@there.test,,\"two\r\nlines\"\r\n"
    b"ann@there.test,,\r\nmailto:cal@there.test,complaint,\r\ndan@there.test,no reason,\r\n\r\neve@there.test,,\r\n"
)  # fmt: skip


def test_a_table_is_put_on_the_list_and_what_is_wrong_is_named_by_line(org: uuid.UUID) -> None:
    suppression.suppress(org, "eve@there.test", actor=BOOTSTRAP, reason="request")
    before = OrgEpoch.objects.get(org=org).epoch
    job = begun(org, FILE)
    assert (job.kind, job.state, job.total) == ("import-suppressions", "waiting", 9)
    done = finish(job)
    assert (done.seen, done.made, done.known, done.wrong) == (7, 3, 2, 2)
    assert addresses(org) == {"ann@there.test", "bob@there.test", "cal@there.test", "eve@there.test"}
    by_address = {row.address: row for row in suppressions.listing(org.bytes, BOOTSTRAP)}
    assert by_address["ann@there.test"].reason == "bounce" and by_address["ann@there.test"].source == "import"
    assert by_address["bob@there.test"].note == "two\r\nlines"
    told = problems(org, done)
    assert [line.split(",")[0] for line in told.splitlines()] == ["line", "3", "8"]
    assert "there.test" not in told and "no reason" not in told
    assert len(office_events("suppression.added")) == 4
    assert sum(int(one.facts["count"]) for one in office_events("suppression.imported")) == done.made
    assert OrgEpoch.objects.get(org=org).epoch > before


GONE, BLOCKED = "550 5.1.1 The email account that you tried to reach does not exist", "554 5.7.1 listed at zen.spamhaus"
#: a file as others write it -> (address, reason, note) put on the list, and the lines that are wrong
OTHERS: dict[str, tuple[bytes, set[tuple[str, str, str]], list[int]]] = {
    "a service's bounces": (
        f'status,reason,email,created\n5.1.1,"{GONE}",ann@there.test,1\n5.7.1,"{BLOCKED}",bob@there.test,1\n'.encode(),
        {("ann@there.test", "bounce", GONE)}, [3],
    ),
    "a newsletter's": (b"Email Address,First Name\nann@there.test,Ann\n", {("ann@there.test", "request", "")}, []),
    "where people live": (
        b"Address,Email,Reason\n1 Elm Road,ann@there.test,Unsubscribe\n", {("ann@there.test", "unsubscribe", "")}, []
    ),
    "semicolons": (
        b'address;reason;note\r\nann@there.test;bounce;"a;b"\r\n', {("ann@there.test", "bounce", "a;b")}, []
    ),
    "tabs": (b"Recipient\tType\nann@there.test\tHardBounce\n", {("ann@there.test", "request", "")}, []),
    "ends": (
        b"address,expires_at\nann@there.test,2099-12-31\nbob@there.test,2099-12-31T10:00Z\ncal@there.test,1\n"
        b"dan@there.test,2020-01-01\neve@there.test,soon\n",
        {("ann@there.test", "request", ""), ("bob@there.test", "request", "")}, [4, 5, 6],
    ),
}  # fmt: skip


@pytest.mark.parametrize("at_once", [False, True], ids=["job", "at-once"])
@pytest.mark.parametrize("what", OTHERS)
def test_files_of_other_services_and_spreadsheets_are_read(org: uuid.UUID, what: str, at_once: bool) -> None:
    data, expected, wrong = OTHERS[what]
    if at_once:
        assert [line for line, _ in suppressions.import_(org.bytes, BOOTSTRAP, data, dry_run=False).wrong] == wrong
    else:
        told = problems(org, finish(begun(org, data)))
        assert [int(line.split(",")[0]) for line in told.splitlines()[1:]] == wrong and "zen." not in told
    found = {row.address: row for row in suppressions.listing(org.bytes, BOOTSTRAP)}
    assert {(row.address, row.reason, row.note) for row in found.values()} == expected
    if what == "ends":
        days = (found["ann@there.test"].expires_at, found["bob@there.test"].expires_at)
        assert days == (4_102_358_400_000_000, 4_102_394_400_000_000)


def test_an_import_is_undone_and_what_stood_there_before_stays(org: uuid.UUID, cast: Any) -> None:
    suppression.suppress(org, "eve@there.test", actor=BOOTSTRAP, reason="complaint", scope="marketing")
    suppression.suppress(org, "p3@there.test", actor=BOOTSTRAP, reason="request")
    rows = "".join(f"p{n}@there.test,\n" for n in range(9)) + "eve@there.test,\n"
    done = finish(begun(org, f"address,reason\n{rows}no address,\n".encode()))
    assert (done.made, done.known) == (9, 1)
    job = uuid.UUID(done.id)
    suppression.unsuppress(org, "p5@there.test", actor=BOOTSTRAP, reason="she asked")
    suppression.suppress(org, "p5@there.test", actor=BOOTSTRAP, reason="bounce")
    before = OrgEpoch.objects.get(org=org).epoch
    with pytest.raises(Forbidden):
        undoing.begin(org, job, actor=key(org, "send"), reason="the wrong file")
    with pytest.raises(NotFound):
        undoing.begin(uuid.UUID(bytes=cast.harbour), job, actor=BOOTSTRAP, reason="the wrong file")
    with pytest.raises(CarepostError):
        undoing.begin(org, job, actor=BOOTSTRAP, reason=" ")
    undone = finish(undoing.begin(org, job, actor=key(org, "suppressions"), reason="the wrong file"))
    assert (undone.kind, undone.total, undone.seen, undone.made) == ("undo-suppressions", done.total, 10, 8)
    assert Job.objects.get(pk=job).expires_at == undone.expires_at
    left = {(row.address, row.scope, row.reason) for row in suppressions.listing(org.bytes, BOOTSTRAP)}
    assert left == {
        ("eve@there.test", "marketing", "complaint"), ("p3@there.test", "all", "request"),
        ("p5@there.test", "all", "bounce"),
    }  # fmt: skip
    assert OrgEpoch.objects.get(org=org).epoch > before, "engines hear of it"
    told = office_events("suppression.import-undone")
    assert sum(int(one.facts["count"]) for one in told) == 8 and all(list(one.on) == [done.id] for one in told)
    assert len(office_events("suppression.removed")) == 9
    assert finish(undoing.begin(org, job, actor=BOOTSTRAP, reason="once more")).made == 0
    again = finish(begun(org, f"address,reason\n{rows}".encode()))
    assert again.made == 8, "the file may be imported again"


def test_only_an_import_that_has_ended_is_undone(org: uuid.UUID) -> None:
    tried = finish(begun(org, FILE, dry_run=True))
    for job in (begun(org, FILE), tried):
        with pytest.raises(Refused) as refused:
            undoing.begin(org, uuid.UUID(job.id), actor=BOOTSTRAP, reason="the wrong file")
        assert refused.value.code in ("job-not-done", "job-not-import")
    with pytest.raises(Refused) as refused:
        acts.begin(org, Kind.UNDO, Asked(of=tried.id), actor=BOOTSTRAP)
    assert refused.value.code == "job-needs-a-file"


def test_taking_back_goes_on_after_a_crash_and_stops_when_it_is_cancelled(
    org: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = finish(begun(org, b"address\n" + b"".join(b"p%d@there.test\n" % n for n in range(12))))
    asked = undoing.begin(org, uuid.UUID(done.id), actor=BOOTSTRAP, reason="the wrong file", page="one")
    assert undoing.begin(org, uuid.UUID(done.id), actor=BOOTSTRAP, reason="the wrong file", page="one").id == asked.id
    further = acts.further

    def crash(*given: Any) -> bool:
        raise SystemExit

    monkeypatch.setattr(acts, "further", crash)
    with pytest.raises(SystemExit):
        work.Work(threading.Event()).step(clock.now())
    assert len(addresses(org)) == 12, "of a part all or nothing"
    monkeypatch.setattr(acts, "further", further)
    assert work.Work(threading.Event()).step(clock.now() - work._SPAN_US + 1_000) == 1
    assert len(addresses(org)) == 12 - 3, "the header is a line of the first part"
    acts.cancel(org, uuid.UUID(asked.id), actor=BOOTSTRAP)
    assert work.Work(threading.Event()).step(clock.now()) == 0
    left = len(addresses(org))
    monkeypatch.undo()
    rest = finish(undoing.begin(org, uuid.UUID(done.id), actor=BOOTSTRAP, reason="after all"))
    assert (rest.made, addresses(org)) == (left, set())


def test_lines_of_json_and_a_second_time_adds_nothing(org: uuid.UUID) -> None:
    rows = [{"address": f"p{n}@there.test", "reason": "unsubscribe", "scope": "marketing"} for n in range(11)]
    data = b"".join(json.dumps(row).encode() + b"\n" for row in [*rows, {"no": "address"}]) + b"not json"
    done = finish(begun(org, data, "ndjson"))
    assert (done.total, done.made, done.wrong) == (13, 11, 2)
    assert [json.loads(line)["line"] for line in problems(org, done).splitlines()] == [12, 13]
    again = finish(begun(org, data, "ndjson"))
    assert (again.made, again.known) == (0, 11)
    assert Suppression.objects.filter(org_id=org).count() == 11


def test_a_try_changes_nothing_says_what_an_import_would_do_and_becomes_one_without_the_file(org: uuid.UUID) -> None:
    epoch = OrgEpoch.objects.get(org=org).epoch
    tried = finish(begun(org, FILE, dry_run=True))
    assert (tried.kind, tried.seen, tried.made, tried.known, tried.wrong) == ("try-suppressions", 7, 4, 1, 2)
    assert not addresses(org) and OrgEpoch.objects.get(org=org).epoch == epoch
    job = importing.begin_tried(org, uuid.UUID(tried.id), actor=BOOTSTRAP)
    twice = importing.begin_tried(org, uuid.UUID(tried.id), actor=key(org, "suppressions"))
    assert twice.id == job.id and (job.kind, job.total) == ("import-suppressions", tried.total)
    done = finish(job)
    assert (done.made, done.known, done.wrong) == (tried.made, tried.known, tried.wrong)
    with pytest.raises(Refused) as refused:
        importing.begin_tried(org, uuid.UUID(done.id), actor=BOOTSTRAP)
    assert refused.value.code == "job-not-done"


def test_killed_between_parts_it_goes_on_and_each_line_is_done_once(
    org: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"address\n" + b"".join(b"p%d@there.test\n" % n for n in range(18))
    job = begun(org, data)

    class Killed(BaseException): ...

    def die(*_: Any) -> bool:
        raise Killed

    real, parts = acts.further, iter([True, True, False])
    monkeypatch.setattr(suppressing.acts, "further", lambda *given: real(*given) if next(parts) else die())
    with pytest.raises(Killed):
        work.Work(threading.Event()).step(clock.now())
    monkeypatch.undo()
    monkeypatch.setattr(lines, "PART_LINES", 4)
    row = Job.objects.get(pk=job.id)
    assert (row.cursor, row.seen, row.made) == ("2", 7, 7) and len(addresses(org)) == 7
    done = finish(job)
    assert (done.seen, done.made, done.known) == (18, 18, 0)
    assert len(office_events("suppression.added")) == 18 == len(addresses(org))


def test_a_try_that_was_interrupted_begins_anew(org: uuid.UUID) -> None:
    data = b"address\n" + b"wrong\n" + b"".join(b"p%d@there.test\n" % (n % 9) for n in range(18))
    job = begun(org, data, dry_run=True)
    tried: dict[uuid.UUID, suppressing.Named] = {}
    for _ in range(3):
        row = Job.objects.get(pk=job.id)
        suppressing.page(row, acts.asked_of(row), BOOTSTRAP, tried)
    assert Job.objects.get(pk=job.id).seen == 11
    # another process knows nothing of what was named
    done = finish(job)
    assert (done.seen, done.made, done.known, done.wrong) == (19, 9, 9, 1)
    assert problems(org, done).count("\r\n") == 2


def test_cancelled_it_stops_and_what_it_did_stays(org: uuid.UUID) -> None:
    data = b"address\n" + b"".join(b"p%d@there.test\n" % n for n in range(18))
    job = begun(org, data)
    row = Job.objects.get(pk=job.id)
    suppressing.page(row, acts.asked_of(row), BOOTSTRAP, {})
    row = Job.objects.get(pk=job.id)
    acts.cancel(org, row.pk, actor=BOOTSTRAP)
    with pytest.raises(acts.Ended):
        suppressing.page(row, acts.asked_of(row), BOOTSTRAP, {})
    assert work.Work(threading.Event()).step(clock.now()) == 0
    assert len(addresses(org)) == 3 and Job.objects.get(pk=job.id).state == "cancelled"


def test_what_is_received_half_is_a_failed_job_and_nothing_of_it_is_kept(org: uuid.UUID) -> None:
    def cut_off() -> Iterator[bytes]:
        yield b"address\n" + b"p@there.test\n" * 9
        raise OSError("the line is gone")

    with pytest.raises(OSError, match="gone"):
        importing.begin(org, cut_off(), actor=BOOTSTRAP, form="csv", dry_run=False)
    (row,) = Job.objects.filter(org_id=org)
    assert (row.state, row.cause) == ("failed", "file-cut-off")
    assert not Part.objects.exists() and work.Work(threading.Event()).step(clock.now()) == 0


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "import-empty"), (b"name,reason\nann,bounce\n", "import-header"),
        ("address,reason\nann@there.test,bounce\n".encode("utf-16"), "import-encoding"),
        (b"address,reason\rann@there.test,bounce\r", "import-header"),
        (b"address\n" + b'"' + b"x" * 300_000, "import-line"),
        (b"address\n" + b'"a\n' + b"b\n" * 200_000, "import-line"),
    ],
    ids=["empty", "header", "utf-16", "cr-alone", "long-line", "open-quote"],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_with_what_to_do(org: uuid.UUID, data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        begun(org, data)
    assert refused.value.code == code
    assert not Job.objects.exclude(state="failed").exists() and not Part.objects.exists()


def test_a_file_that_is_too_large_is_refused_while_it_comes(org: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_LINES", 10)
    with pytest.raises(Refused, match="2,000,000"):
        begun(org, b"address\n" + b"p@there.test\n" * 12)
    monkeypatch.setattr(lines, "MOST_OCTETS", 50)
    with pytest.raises(Refused, match="256 MB"):
        begun(org, b"address\n" + b"p@there.test\n" * 12)


def test_strangers_other_organisations_and_the_search_door(cast: Any, org: uuid.UUID) -> None:
    with pytest.raises(Forbidden):
        begun(org, FILE, actor=key(org, "send"))
    with pytest.raises(Forbidden):
        begun(uuid.UUID(bytes=cast.harbour), FILE, actor=key(org, "suppressions"))
    tried = finish(begun(org, FILE, dry_run=True))
    with pytest.raises(NotFound):
        importing.begin_tried(uuid.UUID(bytes=cast.harbour), uuid.UUID(tried.id), actor=BOOTSTRAP)
    with pytest.raises(Forbidden):
        importing.begin_tried(org, uuid.UUID(tried.id), actor=key(org, "send"))
    with pytest.raises(Refused) as refused:
        acts.begin(org, Kind.IMPORT, Asked(), actor=BOOTSTRAP)
    assert refused.value.code == "job-needs-a-file"


def test_who_may_no_more_ends_the_import(org: uuid.UUID) -> None:
    actor = key(org, "suppressions")
    job = begun(org, FILE, actor=actor)
    access.revoke_key(org, uuid.UUID(actor.id), actor=BOOTSTRAP)
    work.Work(threading.Event()).step(clock.now())
    row = Job.objects.get(pk=job.id)
    assert (row.state, row.cause) == ("failed", "forbidden") and not addresses(org)


def test_it_waits_while_the_log_is_behind(org: uuid.UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    job = begun(org, FILE)
    monkeypatch.setattr(work, "_BEHIND", 0)
    assert events.waiting() == OutboxEvent.objects.count() > 0
    assert work.Work(threading.Event()).step(clock.now()) == 0
    assert Job.objects.get(pk=job.id).state == "waiting"


def test_its_parts_stand_sealed_and_go_with_it(org: uuid.UUID) -> None:
    done = finish(begun(org, FILE))
    parts = b"".join(bytes(part.data) for part in Part.objects.all())
    assert parts and b"there.test" not in parts
    Job.objects.update(expires_at=1)
    assert acts.ended(org, clock.now()) == 1
    assert not Part.objects.exists() and not Piece.objects.exists() and done.wrong


@pytest.mark.fast
def test_addresses_a_file_named_are_known_again() -> None:
    named = suppressing.Named(uuid.uuid4())
    many = [(n * 0x9E3779B97F4A7C15) % 2**64 for n in range(1, 5000)]
    assert all(named.add(one) for one in many)
    assert not any(named.add(one) for one in many)
    # nothing is 0: that is a free place
    assert named.add(0) and not named.add(1)


def test_a_name_before_the_address_is_taken_off_and_a_row_over_two_lines_has_the_number_of_its_first() -> None:
    """As address books and spreadsheets write them; two addresses in one cell stay wrong."""
    data = (
        b'address,reason\nJane Roe <jane@patient.test>,request\n"Roe, John <john@patient.test>",request\n'
        b'"jane\nroe",request\n<ann@patient.test>,request\n"a <a@b.test>, c <c@d.test>",request\n'
        b'"a@b.test <c@d.test>",request\n'
    )
    taken: dict[int, str] = {}
    wrong: list[int] = []
    for number, fields in suppression_lines.of_file(data):
        try:
            taken[number] = suppression_lines.wanted(fields, "").address
        except CarepostError:
            wrong.append(number)
    assert taken == {2: "jane@patient.test", 3: "john@patient.test", 6: "ann@patient.test"}
    assert wrong == [4, 7, 8]
