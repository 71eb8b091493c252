"""A program of the clinic lives with a real home through the Python client: every method of it, in ordinary and in
asynchronous code, over a restart; and a stranger's key."""

import asyncio
import base64
import inspect
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from carepost.client import ApiError, AsyncClient, Client, Message
from carepost.crypto.smime import identity
from carepost.ground import clock
from carepost.wire.rest import Attachment
from tests.support.house import House
from tests.support.waiting import until

NORA = "nora.sample@clinic.test"
WHY = "a story"
SCOPES = (
    "send", "messages", "search", "proof", "preview", "retract", "suppressions", "own-keys", "templates", "tracking",
    "sending", "destinations", "routes", "events", "held", "jobs",
)  # fmt: skip


class Program:
    """One of the two clients; notes which of its methods were used. What the asynchronous one answers is waited for on
    a loop of its own."""

    def __init__(self, kind: type[Client] | type[AsyncClient], url: str, key: str) -> None:
        self.kind, self.used = kind, set[str]()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._client = kind(url, key)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        self.used.add(name)
        asked = getattr(self._client, name)

        def ask(*given: Any, **more: Any) -> Any:
            answer = asked(*given, **more)
            if inspect.isawaitable(answer):
                return self._wait(_settle(answer))
            if inspect.isasyncgen(answer):
                return self._wait(_all(answer))
            return list(answer) if inspect.isgenerator(answer) else answer

        return ask

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def end(self) -> None:
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)


async def _settle(answer: Any) -> Any:
    return await answer


async def _all(answer: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in answer]


def methods(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


@pytest.mark.timeout(500)
def test_every_method_of_the_client_in_a_living_home(tmp_path: Path) -> None:
    with House(tmp_path) as house:
        scopes = [word for one in SCOPES for word in ("--scope", one)]
        secret = json.loads(house.carepost("key", "add", "program", *scopes, "--json"))["secret"]
        few = json.loads(house.carepost("key", "add", "few", "--scope", "search", "--json"))["secret"]
        url = f"http://127.0.0.1:{house.ports['api']}"
        house.carepost("authority", "make", "--algorithm", "ec-p384", "--days", "400", "--reason", WHY)
        for kind in (Client, AsyncClient):
            program = Program(kind, url, secret)
            after = mail(house, program, kind.__name__.lower())
            jobs(house, program, kind.__name__.lower())
            lists(program, kind.__name__.lower())
            keys(program, kind.__name__.lower())
            tracking(program)
            # the place in the events holds over a restart of everything
            house.stop()
            house.start()
            assert later(house, program, after)
            program.end()
            assert methods(kind) - {"aclose"} <= program.used | {"close"}, methods(kind) - program.used
            stranger = Program(kind, url, few)
            for ask in (
                lambda who=stranger: who.send(Message(NORA, ("one@verified.test",), subject="A", text="B")),
                lambda who=stranger: who.jobs(),
                lambda who=stranger: who.suppress("x@verified.test"),
                lambda who=stranger: who.upload("a.txt", b"a"),
                lambda who=stranger: who.own_keys(),
            ):
                with pytest.raises(ApiError) as refused:
                    ask()
                assert refused.value.status == 403, refused.value
            stranger.end()
        assert "Traceback" not in house.logs()


def mail(house: House, program: Program, name: str) -> tuple[str, set[int]]:
    """(where the events were read to, the ids of those read)."""
    one, two = f"{name}.one@verified.test", f"{name}.two@verified.test"
    letter = Message(NORA, (one,), subject="Visit", text="Nothing real.", tags=(name,))
    assert {each.state for each in program.preview(letter)} == {"queued"}
    kept = program.upload("plan.txt", b"an invented plan\n", "text/plain")
    assert kept.size == 17 and kept.expires_at > clock.now()
    files = (
        Attachment(upload_id=kept.id),
        Attachment("more.txt", base64.b64encode(b"said here").decode(), "text/plain"),
    )
    sent = program.send(
        Message(NORA, (one,), subject="Visit", text="Nothing real.", tags=(name,), attachments=files),
        idempotency_key=f"{name}-1",
    )
    again = program.send(
        Message(NORA, (one,), subject="Visit", text="Nothing real.", tags=(name,), attachments=files),
        idempotency_key=f"{name}-1",
    )
    assert again.id == sent.id
    with pytest.raises(ApiError) as absent:
        program.send(Message(NORA, (one,), subject="Visit", text="x", attachments=(Attachment(upload_id="none"),)))
    assert absent.value.status == 422 and "upload" in str(absent.value)
    batch = program.send_batch(
        [Message(NORA, (two,), subject=f"Visit {n}", text="Nothing real.", tags=(name,)) for n in range(3)]
        + [Message("nobody@elsewhere.test", (two,), subject="Not ours", text="x")]
    )
    assert [bool(entry.id) for entry in batch] == [True, True, True, False], batch
    (raw,) = [house.raw(mail["id"]).decode() for mail in house.arrived(one)]
    assert "plan.txt" in raw and "more.txt" in raw
    assert len(house.arrived(two, 3)) == 3
    view = until(lambda: _over(program, sent.id), within=60, what="its end is on record")
    assert [one.state for one in view.deliveries] == ["sent"]
    program.get("/api/v1/messages", limit=1)
    assert {found.id for found in program.messages(tag=name)} >= {sent.id, *(e.id for e in batch if e.id)}
    page = program.search(recipient=one, limit=1)
    assert [found.id for found in page.messages] == [sent.id]
    assert program.search(recipient="absent@verified.test").messages == ()
    delivery = view.deliveries[0].id
    proof = until(lambda: _proof(program, sent.id, delivery), within=60, what="the proof is complete")
    file = house.path.parent / f"{name}.proof"
    file.write_bytes(proof)
    checked = subprocess.run(
        [sys.executable, "-m", "carepost.cli.main", "verify", str(file)], capture_output=True, text=True, timeout=120
    )
    assert checked.returncode == 0, (checked.stdout, checked.stderr)
    later_on = program.send(Message(NORA, (one,), subject="Later", text="Nothing real.", send_at=_in_days(5)))
    assert set(program.retract(later_on.id, reason=WHY).values()) == {"retracted"}
    assert [(one.state, one.reason) for one in program.message(later_on.id).deliveries] == [("retracted", "retracted")]
    # its content is held for as long as one of its recipients is waited for
    both = program.send(Message(NORA, (two, f"{name}@full.test"), subject="Plan", text="Nothing real.")).id
    resent = until(lambda: _again(program, both, two, f"{name}-again"), within=60, what="one of them got it, on record")
    assert resent.id and resent.id != both and [one.recipient for one in resent.deliveries] == [two]
    assert len(house.arrived(two, 5)) == 5
    assert set(program.retract(both, reason=WHY).values()) == {"retracted", "not-possible"}
    source = {"subject": "Hello {{ who }}", "html": "<p>Hi {{ who }}</p>"}
    made = program.post("/api/v1/templates", {"name": name, "source": source})
    shown = program.render(made["id"], {"who": "Ann"})
    assert (shown.subject, "Hi Ann" in shown.html, "Hi Ann" in shown.text) == ("Hello Ann", True, True)
    allowed = program.sending_ahead()
    assert program.set_sending_ahead(allowed.most, reason=WHY).days == allowed.most
    return _read(program, "")


def _over(program: Program, message: str) -> Any:
    view = program.message(message)
    return view if all(one.state == "sent" for one in view.deliveries) else None


def _again(program: Program, message: str, address: str, key: str) -> Any:
    """To who has got it already; None until that is on record."""
    found = [one.id for one in program.message(message).deliveries if one.recipient == address and one.state == "sent"]
    try:
        return program.resend(message, reason=WHY, deliveries=found, idempotency_key=key) if found else None
    except ApiError as error:
        if error.code != "not-on-record":
            raise
        return None


def _proof(program: Program, message: str, delivery: str) -> bytes:
    try:
        return bytes(program.proof(message, delivery))
    except ApiError as error:
        if error.status not in (404, 409):
            raise
        return b""


def _in_days(days: int) -> str:
    return clock.rfc3339(clock.now() + days * 86_400_000_000)


def _read(program: Program, cursor: str) -> tuple[str, set[int]]:
    """All there are from here on."""
    seen: set[int] = set()
    while True:
        page = program.events(cursor=cursor, limit=7)
        ids = [one["index"] for one in page.events]
        assert not seen & set(ids) and len(set(ids)) == len(ids)
        seen |= set(ids)
        assert page.follow == page.cursor or (not page.cursor and len(page.events) < 7)
        cursor = page.follow
        if not page.cursor:
            return cursor, seen


def later(house: House, program: Program, before: tuple[str, set[int]]) -> bool:
    cursor, seen = before
    new = house.send("one@verified.test")["id"]
    found: set[int] = set()

    def told() -> bool:
        nonlocal cursor
        page = program.events(cursor=cursor, limit=5)
        ids = {one["index"] for one in page.events}
        assert not ids & (seen | found), "an event came twice"
        found.update(ids)
        kinds.extend(one["event"]["kind"] for one in page.events if new in one["event"]["on"])
        cursor = page.follow
        return "delivery.sent" in kinds

    kinds: list[str] = []
    until(told, within=90, what="what happened after the restart is read from where it was left")
    return True


def jobs(house: House, program: Program, name: str) -> None:
    begun = program.begin_job("export-messages", {"tag": name}, form="csv", reason=WHY)
    done = program.wait_for_job(begun.id, seconds=60, every=0.1)
    assert (done.state, done.made) == ("done", done.seen) and done.made >= 4
    assert program.job(begun.id).state == "done" and begun.id in {one.id for one in program.jobs()}
    assert program.job_result(begun.id).decode().count("\n") >= 4
    with pytest.raises(ApiError) as ended:
        program.cancel_job(begun.id)
    assert ended.value.status == 409


def lists(program: Program, name: str) -> None:
    program.suppress(f"{name}@gone.test", reason="unsubscribe")
    rows = b"address\n" + b"".join(b"%s.%d@gone.test\n" % (name.encode(), n) for n in range(50)) + b"no address\n"
    tried = program.begin_suppression_import(rows, dry_run=True)
    tried = program.wait_for_suppression_import(tried.id, seconds=60, every=0.1)
    assert (tried.state, tried.made, tried.wrong) == ("done", 50, 1)
    assert program.suppression_import_problems(tried.id).decode().splitlines()[1].startswith("52,")
    done = program.wait_for_suppression_import(program.begin_tried_import(tried.id).id, seconds=60, every=0.1)
    assert (done.made, program.suppression_import(done.id).made) == (50, 50)
    with pytest.raises(ApiError) as ended:
        program.cancel_suppression_import(done.id)
    assert ended.value.code == "job-ended"
    back = program.wait_for_suppression_import(
        program.undo_suppression_import(done.id, reason=WHY).id, seconds=60, every=0.1
    )
    assert (back.kind, back.made) == ("undo-suppressions", 50)
    listed = program.get("/api/v1/suppressions")["suppressions"]
    assert f"{name}@gone.test" in {one["address"] for one in listed} and not any(
        ".1@" in one["address"] for one in listed
    )
    lines = program.destinations()
    assert "verified.test" in {one.domain for one in lines}
    (line,) = program.find_destinations("verified.test")
    assert program.destination(line.id).line.domain == "verified.test"
    program.see_destination_alerts(line.id)
    pin = program.pin_destination(f"{name}.pinned.test", "mx.pinned.test", reason=WHY)
    assert pin.domain in {one.domain for one in program.pins()}
    program.unpin_destination(pin.domain, reason=WHY)
    assert pin.domain not in {one.domain for one in program.pins()}


def keys(program: Program, name: str) -> None:
    made = program.generate_own_key(f"{name}@clinic.test", reason=WHY, method="smime")
    assert made.id in {one.id for one in program.own_keys()} and program.own_key(made.id).id == made.id
    assert "BEGIN CERTIFICATE" in program.own_key_public(made.id)
    private = identity.generate("ec-p256")
    own = identity.self_signed(private, f"{name}.brought@clinic.test", clock.now(), days=300)
    sealed = BestAvailableEncryption(b"an invented passphrase")
    file = pkcs12.serialize_key_and_certificates(b"n", private, own.certificate.x509, None, sealed)
    brought = program.import_own_key(file, "an invented passphrase", reason=WHY)
    assert brought.id != made.id
    assert program.change_own_key(brought.id, "revoke", reason=WHY).state == "revoked"
    (authority,) = program.authorities()
    assert "BEGIN CERTIFICATE" in program.authority_certificate(authority.id)
    assert program.sign_authority_list(authority.id).id == authority.id


def tracking(program: Program) -> None:
    assert program.tracking()
    program.watch("marketing", opens="on", clicks="on", reason=WHY, attestation="An administrator: newsletters alone.")
    program.count_as("human", reason=WHY)
    program.know_network("192.0.2.0/24", "scanner", reason=WHY, note="a scanner")
    program.set_tracking_host("clinic.test", "links.clinic.test", reason=WHY)
    assert program.tracking_report(days=2)
    tag = program.kind.__name__.lower()
    found = program.messages(tag=tag)
    assert program.message_tracking(found[0].id)
    assert program.campaign_tracking(tag).messages == len(found)
