"""What is kept of a look at DNS, what is told when a record turns, and keys that change by a schedule."""

import uuid
from typing import Any

import pytest

from carepost.archive.tables import org_value
from carepost.crypto import dkim_record, index
from carepost.destinations.models import SendingAddress, SendingPool
from carepost.engagement.models import Host
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.proof import event
from carepost.rfc.asking import FAILED, Found, Question, Record
from carepost.senders import acts, daily, letters, looking, reading, rotation, settings
from carepost.senders.bulk import Volume
from carepost.senders.models import Check, Choice, StsPolicy
from carepost.senders.types import Part, Phase, State
from carepost.tenancy import names, scope, select
from carepost.tenancy.actions import dkim_keys, domains, organisations
from carepost.tenancy.models import DkimKey, OutboxEvent, SenderDomain
from carepost.tenancy.permissions import BOOTSTRAP, COMMAND_LINE, Forbidden
from carepost.wire.types import Actor
from tests.support.cast import cast, fresh_books, outbox, shard
from tests.support.mailroom import KeptDoor
from tests.support.outbox import Outbox

__all__ = ["cast", "fresh_books", "outbox", "shard"]

pytestmark = pytest.mark.django_db(databases=["default", "records"])

DAY = looking.DAY_US
NOON = 1_795_262_400_000_000
STRANGER = Actor("staff", str(uuid.uuid4()))


class Dns:
    """An engine's resolver over a zone: TXT by name, or MX."""

    def __init__(self) -> None:
        self.txt: dict[str, str] = {}
        self.silent = False
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Found:
        self.asked.append(question)
        assert question.fresh, "what an engine remembers does not do"
        if self.silent:
            return FAILED
        if question.record is Record.TXT and question.name in self.txt:
            return Found(texts=(self.txt[question.name].encode(),))
        return Found()

    def publish(self, row: SenderDomain) -> None:
        for key in row.dkim_keys.all():
            self.txt[f"{key.selector}._domainkey.{row.domain}"] = key.record


@pytest.fixture
def at() -> Any:
    now = [NOON]
    clock.set_source(lambda: now[0])
    yield now
    clock.set_source(None)


@pytest.fixture
def org(at: list[int], cast: Any) -> uuid.UUID:
    return uuid.UUID(bytes=cast.maple)


def row_of(org: uuid.UUID) -> SenderDomain:
    [row] = select.domains(org)
    return row


def told(kind: str) -> list[dict[str, str]]:
    with scope.every("a test reads its events"):
        found = [event.read(bytes(one.event)) for one in OutboxEvent.objects.order_by("seq")]
    return [one.facts for one in found if one.kind == kind]


def test_a_look_is_kept_with_its_time_and_silence_turns_nothing_wrong(org: uuid.UUID, at: list[int]) -> None:
    dns, row = Dns(), row_of(org)
    dns.publish(row)
    found = looking.look(org, row, dns.ask, actor=COMMAND_LINE)
    assert (found.at, looking.last(org, row)) == (NOON, found)
    right = [line.place for line in found.lines if line.part is Part.DKIM]
    assert {found.known[place].state for place in right} == {"right"}
    at[0] += DAY
    dns.silent = True
    again = looking.look(org, row, dns.ask, actor=COMMAND_LINE)
    assert {line.state for line in again.lines if line.code not in ("not-set", "no-name")} == {State.UNKNOWN}
    assert again.known[right[0]] == found.known[right[0]], "known since the first look"
    assert told(looking.CHANGED) == []
    with scope.organisation(org):
        assert Check.objects.get(org_id=org).turned == "[]"


def test_a_record_that_turns_is_an_event_and_one_letter(org: uuid.UUID, at: list[int]) -> None:
    dns, row, door = Dns(), row_of(org), KeptDoor()
    dns.publish(row)
    looking.look(org, row, dns.ask, actor=COMMAND_LINE)
    assert letters.mail(door, at[0]) == 0, "what was never right has not turned"
    gone = f"{row.dkim_keys.all()[0].selector}._domainkey.maple.test"
    record = dns.txt.pop(gone)
    at[0] += DAY
    looking.look(org, row, dns.ask, actor=COMMAND_LINE)
    (changed,) = told(looking.CHANGED)
    assert changed == {
        "domain": "maple.test", "part": "dkim", "name": gone, "from": "right", "to": "missing", "cause": "missing",
        "weaker": "yes",
    }  # fmt: skip
    organisations.change_settings(org, actor=BOOTSTRAP, reason="r", alerts="it@maple.test")
    assert [letters.mail(door, at[0], "https://console.maple.test") for _ in range(2)] == [1, 0]
    (sent,) = door.taken
    assert sent.envelope.recipients[0].address == "it@maple.test"
    assert b"did: 1" in sent.body and gone.encode() not in sent.body
    dns.txt[gone] = record
    looking.look(org, row, dns.ask, actor=COMMAND_LINE)
    assert [one["to"] for one in told(looking.CHANGED)] == ["missing", "right"]
    assert letters.mail(door, at[0]) == 0


def test_a_letter_no_engine_took_is_written_again(org: uuid.UUID, at: list[int]) -> None:
    dns, row, door = Dns(), row_of(org), KeptDoor()
    dns.publish(row)
    looking.look(org, row, dns.ask, actor=COMMAND_LINE)
    dns.txt.clear()
    looking.look(org, row, dns.ask, actor=COMMAND_LINE)
    organisations.change_settings(org, actor=BOOTSTRAP, reason="r", alerts="it@maple.test")
    door.closed = True
    with pytest.raises(Exception, match="No engine"):
        letters.mail(door, at[0])
    door.closed = False
    assert letters.mail(door, at[0]) == 1


def test_by_the_clock_each_domain_once_a_day_sooner_while_a_key_waits(org: uuid.UUID, at: list[int]) -> None:
    dns = Dns()
    assert not daily.step(dns.ask, at[0]), "one just added is left alone"
    at[0] += daily.FIRST_US + 1
    assert [daily.step(dns.ask, at[0]) for _ in range(3)] == [True, True, False], "both clinics, then nothing"
    at[0] += DAY - 1
    assert not daily.step(dns.ask, at[0])
    at[0] += 2
    dkim_keys.make_next(org, "maple.test", actor=COMMAND_LINE)
    assert [daily.step(dns.ask, at[0]) for _ in range(3)] == [True, True, False]
    at[0] += looking.HOUR_US + 1
    assert [daily.step(dns.ask, at[0]) for _ in range(2)] == [True, False], "the one whose next key waits"
    assert told(looking.CHECKED) == [], "the clock's own looks are no events while nothing turns"


def test_a_scheduled_rotation_makes_tells_and_switches_when_dns_shows_it(org: uuid.UUID, at: list[int]) -> None:
    dns, door = Dns(), KeptDoor()
    dns.publish(row_of(org))
    acts.schedule(org, "maple.test", actor=COMMAND_LINE, rotate_days=180)
    organisations.change_settings(org, actor=BOOTSTRAP, reason="r", alerts="it@maple.test")
    old = {key.selector for key in row_of(org).dkim_keys.all()}
    at[0] += 180 * DAY - 1
    daily.one(org, row_of(org).pk, dns.ask, at[0])
    assert {key.selector for key in row_of(org).dkim_keys.all()} == old
    at[0] += 1
    daily.one(org, row_of(org).pk, dns.ask, at[0])
    keys = list(row_of(org).dkim_keys.all())
    assert {key.selector for key in keys if key.signs} == old and sum(key.waits for key in keys) == 2
    assert [letters.mail(door, at[0]) for _ in range(2)] == [1, 0]
    assert b"new keys were made" in door.taken[0].body
    daily.one(org, row_of(org).pk, dns.ask, at[0] + DAY)
    assert {key.selector for key in row_of(org).dkim_keys.all() if key.signs} == old, "DNS does not show them"
    dns.publish(row_of(org))
    daily.one(org, row_of(org).pk, dns.ask, at[0] + DAY)
    row = row_of(org)
    assert not {key.selector for key in row.dkim_keys.all() if key.signs} & old
    assert told("domain.dkim-rotated")[0]["former"].split() == sorted(old)
    phases = {key.selector: key.phase for key in settings.keys(row, 14, at[0])}
    assert {phases[selector] for selector in old} == {Phase.OLD}
    assert {key.phase for key in settings.keys(row, 14, at[0] + 14 * DAY) if key.selector in old} == {Phase.DUE}
    assert letters.mail(door, at[0]) == 0


def test_without_a_schedule_nothing_changes_by_itself(org: uuid.UUID, at: list[int]) -> None:
    dns = Dns()
    dkim_keys.make_next(org, "maple.test", actor=COMMAND_LINE)
    dns.publish(row_of(org))
    daily.one(org, row_of(org).pk, dns.ask, at[0])
    assert sum(key.waits for key in row_of(org).dkim_keys.all()) == 2


def test_a_person_switches_and_what_dns_shows_decides(org: uuid.UUID) -> None:
    dns = Dns()
    made = dkim_keys.make_next(org, "maple.test", actor=COMMAND_LINE)
    with pytest.raises(Exception, match="signed as before"):
        rotation.switch(org, "maple.test", dns.ask, actor=COMMAND_LINE)
    dns.publish(row_of(org))
    switched = rotation.switch(org, "maple.test", dns.ask, actor=COMMAND_LINE)
    assert {key.selector for key in switched} == {key.selector for key in made}
    assert all(dkim_record.shows(key.record, (key.record.encode(),)) for key in switched)


ACTS = {
    "schedule": lambda org, by: acts.schedule(org, "maple.test", actor=by, rotate_days=180),
    "serve_policy": lambda org, by: acts.serve_policy(
        org, "maple.test", actor=by, mode="testing", mx=("mx.maple.test",)
    ),
    "look": lambda org, by: looking.look(org, settings.domain(org, "maple.test"), Dns().ask, actor=by),
    "switch": lambda org, by: rotation.switch(org, "maple.test", Dns().ask, actor=by),
}


@pytest.mark.parametrize("name", ACTS)
def test_a_stranger_an_operator_and_another_organisation_leave_nothing(org: uuid.UUID, cast: Any, name: str) -> None:
    for by in (STRANGER, cast.operator, cast.stranger, cast.key):
        with pytest.raises(Forbidden):
            ACTS[name](org, by)
    with scope.organisation(org):
        assert not Choice.objects.exists() and not Check.objects.exists() and not StsPolicy.objects.exists()
    other = uuid.UUID(bytes=cast.harbour)
    with pytest.raises(NotFound):
        ACTS[name](other, cast.stranger)
    with pytest.raises(NotFound):
        reading.page(org, cast.stranger, "maple.test")
    with pytest.raises(NotFound):
        reading.page(other, cast.stranger, "maple.test")


def test_a_policy_is_checked_and_gone_with_its_choice(org: uuid.UUID, at: list[int]) -> None:
    for given in ({"mode": "strict"}, {"mode": "enforce"}, {"mode": "enforce", "mx": ("x y",)},
                  {"mode": "testing", "mx": ("mx.maple.test",), "max_age": 5}):  # fmt: skip
        with pytest.raises(names.Wrong):
            acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, **given)  # type: ignore[arg-type]
    first = acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="testing", mx=("MX.maple.test",))
    at[0] += 1_000_000
    second = acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="enforce", mx=("mx.maple.test",))
    assert first.sts_id != second.sts_id and second.sts_id.isalnum() and len(second.sts_id) <= 32
    assert "mode: enforce" in StsPolicy.objects.get(domain="maple.test").text
    acts.serve_policy(org, "maple.test", actor=COMMAND_LINE, mode="")
    assert not StsPolicy.objects.exists()


def test_a_removed_domain_is_not_looked_at(org: uuid.UUID, at: list[int]) -> None:
    row = row_of(org)
    looking.look(org, row, Dns().ask, actor=COMMAND_LINE)
    domains.remove_domain(org, "maple.test", actor=COMMAND_LINE, reason="sold")
    at[0] += 2 * DAY
    assert [daily.step(Dns().ask, at[0]) for _ in range(2)] == [True, False], "the other clinic's"
    with pytest.raises(NotFound):
        looking.look(org, row, Dns().ask, actor=COMMAND_LINE)


def test_keys_of_another_organisation_never_show(org: uuid.UUID, cast: Any) -> None:
    other = uuid.UUID(bytes=cast.harbour)
    dkim_keys.make_next(other, "harbour.test", actor=COMMAND_LINE)
    with scope.organisation(org):
        assert not DkimKey.objects.filter(org_id=org, active_at=0).exists()


def test_addresses_and_tracking_host_are_those_chosen_elsewhere(org: uuid.UUID) -> None:
    row = row_of(org)
    assert (settings.asked(org, row).addresses, settings.asked(org, row).tracking) == ((), "")
    with scope.organisation(org):
        for name, domain in (("all", ""), ("ours", "maple.test"), ("others", "other.test")):
            SendingPool.objects.create(org_id=org, name=name, domain=domain)
        for ip, pool, state in (("192.0.2.1", "all", "active"), ("192.0.2.2", "ours", "draining"),
                                ("192.0.2.3", "others", "active"), ("192.0.2.4", "all", "paused")):  # fmt: skip
            SendingAddress.objects.create(org_id=org, ip=ip, helo="out.maple.test", pool=pool, state=state)
        Host.objects.create(org_id=org, domain="maple.test", host="links.maple.test")
    asked = settings.asked(org, row)
    assert [one.ip for one in asked.addresses] == ["192.0.2.1", "192.0.2.2"], "a draining one still sends"
    assert asked.tracking == "links.maple.test"
    assert not asked.house, "every stream leaves by a pool with a known address"


@pytest.mark.parametrize(
    ("streams", "new", "state", "house"),
    [("", 0, "active", False), ("bulk", 0, "active", True), ("", 20_000, "active", True), ("", 0, "paused", True)],
)
def test_the_houses_own_address_counts_where_some_mail_leaves_by_it(
    org: uuid.UUID, streams: str, new: int, state: str, house: bool
) -> None:
    with scope.organisation(org):
        SendingPool.objects.create(org_id=org, name="all", streams=streams)
        SendingAddress.objects.create(org_id=org, ip="192.0.2.1", pool="all", state=state, warms_from=new)
    assert settings.asked(org, row_of(org)).house is house


def test_what_was_sent_to_a_provider_counts_over_thirty_days(org: uuid.UUID, at: list[int], outbox: Outbox) -> None:
    assert reading.volumes(org) is None
    today = index.day_of(NOON)
    add = "INSERT INTO archive_tally (org_id, day, domain, provider, measure, number) VALUES (?, ?, ?, ?, ?, ?)"
    counted = [
        (today, "gmail.com", "gmail", "sent", 3_000), (today, "clinic.example", "gmail", "sent", 2_500),
        (today - 1, "gmail.com", "gmail", "sent", 10), (today - 31, "gmail.com", "gmail", "sent", 90_000),
        (today, "yahoo.com", "yahoo", "sent", 100), (today, "yahoo.com", "yahoo", "complaint", 2),
        (today, "x.example", "x.example", "sent", 5),
    ]  # fmt: skip
    with outbox.store.writing():
        outbox.store.many(add, [(org_value(outbox.store, org.bytes), *one) for one in counted])
    found = reading.volumes(org)
    assert found is not None
    assert found["gmail"] == Volume(5_500, 5_510, 0), "domains of one provider count together, a day at a time"
    assert (found["yahoo"], found["microsoft-consumer"]) == (Volume(100, 100, 2), Volume())
    page = reading.page(org, COMMAND_LINE, "maple.test")
    assert page.bulk == {"gmail": True, "yahoo": False, "microsoft-consumer": False}
    assert [one.state.value for one in page.rules if (one.provider, one.rule) == ("yahoo", "complaints")] == ["not-met"]
