"""Conversations: who joins one, what the engine sees of it, and what it never sees of another organisation's."""

import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from sqlcipher3 import dbapi2

from carepost.directory import Directory, threads
from carepost.directory import postgres as postgres_source
from carepost.directory.sql import SqlSource
from carepost.directory.threads import SqlThreads
from carepost.directory.types import OrgSnapshot
from carepost.ground import ids
from carepost.ground.errors import NotFound, Unavailable
from carepost.mailbox import access, challenges, people, sealing, sessions, tokens
from carepost.mailbox.models import Deposit, Thread
from carepost.mailbox.sessions import Session
from carepost.mailbox.within import within
from carepost.policy.types import Access
from carepost.tenancy import scope
from carepost.tenancy.models import Organisation
from tests.support.mailroom import KeptDoor, lay

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

JANE = "jane.quillfeather@patient.test"


def connect() -> Any:
    """A connection of the engine's own to the database of this test."""
    if connection.vendor == "postgresql":
        own = connection.get_connection_params()
        wanted = {k: own[k] for k in ("dbname", "user", "password", "host", "port") if k in own}
        return psycopg.connect(**wanted, autocommit=True)
    name = connection.settings_dict["NAME"]
    return dbapi2.connect(name, uri=True, isolation_level=None, timeout=5, check_same_thread=False)


def ways() -> dict[str, Any]:
    on_postgres = connection.vendor == "postgresql"
    return {"begin": postgres_source.BEGIN, "placeholder": "%s"} if on_postgres else {
        "begin": ("BEGIN",), "placeholder": "?",
    }  # fmt: skip


def snapshot(org: Organisation) -> OrgSnapshot:
    directory = Directory(SqlSource(connect, keys=settings.CAREPOST_KEYS, **ways()))
    directory.poll()
    found = directory.snapshot(org.pk.bytes)
    directory.stop()
    return found


def newest(org: Organisation) -> bytes:
    """The key tokens are made with now. Inside the organisation's scope."""
    return sealing.token_key(sealing.standing(org.pk.bytes).keys[0][1])


@pytest.fixture
def engine() -> Any:
    made = SqlThreads(connect, settings.CAREPOST_KEYS, **ways())
    yield made
    made.close()


def test_the_engine_sees_between_whom_until_when_and_how_the_person_is_known(
    maple: Organisation, engine: SqlThreads, pass_time: Callable[[int], None]
) -> None:
    row = lay(maple, code="heron-4172")
    found = engine.find(snapshot(maple), row.thread_id.bytes)
    record = found.record
    assert (record.sender, record.recipient, record.access.kind) == ("dr.owl@maple.test", JANE, Access.CODE)
    with within(maple.pk.bytes):
        back = people.reply_to(maple.pk, row.thread_id, "portal@maple.test")
        mac = tokens.mac(newest(maple), row.thread_id.bytes)
    assert threads.fits(found, mac) and not threads.fits(found, bytes(10))
    assert back.startswith("portal+")
    pass_time(people.OPEN + 1)
    assert not threads.fits(found, mac)


def test_what_joins_keeps_the_conversation_and_keeps_it_open(
    maple: Organisation, engine: SqlThreads, pass_time: Callable[[int], None]
) -> None:
    first = lay(maple)
    before = engine.find(snapshot(maple), first.thread_id.bytes).until
    pass_time(60_000_000)
    second = lay(maple, thread=str(first.thread_id))
    assert second.thread_id == first.thread_id and second.link != first.link
    assert engine.find(snapshot(maple), first.thread_id.bytes).until == before + 60_000_000


def test_nobody_joins_another_persons_conversation_nor_another_organisations(
    maple: Organisation, harbour: Organisation
) -> None:
    hers = lay(maple)
    for other in (
        lay(maple, to="john.roe@patient.test", thread=str(hers.thread_id)),
        lay(harbour, sender="desk@harbour.test", thread=str(hers.thread_id)),
        lay(maple, thread=str(uuid.UUID(bytes=ids.new()))),
    ):
        assert other.thread_id != hers.thread_id


def test_another_organisations_engine_snapshot_opens_nothing(
    maple: Organisation, harbour: Organisation, engine: SqlThreads
) -> None:
    row = lay(maple)
    with pytest.raises(NotFound):
        engine.find(snapshot(harbour), row.thread_id.bytes)
    with pytest.raises(NotFound):
        engine.find(snapshot(maple), ids.new())


def test_a_conversation_of_before_is_none_the_engine_knows(maple: Organisation, engine: SqlThreads) -> None:
    row = lay(maple)
    with scope.organisation(maple.pk):
        Thread.objects.filter(id=row.thread_id).update(engine=b"", until=0)
    with pytest.raises(NotFound):
        engine.find(snapshot(maple), row.thread_id.bytes)


def test_an_office_that_cannot_be_read_is_unavailable_and_asked_again(maple: Organisation) -> None:
    row, calls = lay(maple), [0]

    def flaky() -> Any:
        calls[0] += 1
        if calls[0] == 1:
            raise OSError("gone")
        return connect()

    engine = SqlThreads(flaky, settings.CAREPOST_KEYS, **ways())
    found = snapshot(maple)
    with pytest.raises(Unavailable):
        engine.find(found, row.thread_id.bytes)
    assert engine.find(found, row.thread_id.bytes).record.recipient == JANE
    engine.close()


def entered(row: Deposit, door: KeptDoor) -> Session:
    challenges.send_code(row, door=door)
    found = sessions.find(challenges.prove_code(row, door.code(JANE), device="x", door=door).cookie)
    assert found is not None
    return found


def test_the_page_leads_to_what_the_session_may_read_and_to_nothing_else(
    maple: Organisation, pass_time: Callable[[int], None]
) -> None:
    door = KeptDoor()
    first = lay(maple)
    pass_time(1_000_000)
    second = lay(maple, thread=str(first.thread_id))
    pass_time(1_000_000)
    locked = lay(maple, thread=str(first.thread_id), code="heron-4172")
    session = entered(first, door)
    seen = access.access_deposit(session, first.link)
    assert [turn.link for turn in seen.turns] == [second.link]
    assert locked.link not in str(seen.turns) and not seen.turns[0].opened
