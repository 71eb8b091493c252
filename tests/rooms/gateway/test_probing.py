"""What a check of a connection finds in DNS and at the tenant's host, kept with when it was tried; who may ask."""

import uuid
from typing import Any

import pytest

from carepost.directory.gateways import RETURN, Settings
from carepost.gateway import acts, mends, probing, records, seen, select
from carepost.gateway.models import Finding, Seen
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.proof import kinds
from carepost.proof.event import Event, EventActor
from carepost.rfc.asking import ABSENT, FAILED, Found, Question, Record, run
from carepost.tenancy import scope
from carepost.tenancy.actions import domains
from carepost.tenancy.permissions import BOOTSTRAP, Forbidden
from carepost.wire import probes
from carepost.wire.doors import Probe
from carepost.wire.probes import Probed

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

HOST = "mail.carepost.test"
US = "203.0.113.7"
BOX = "office@clinic.test"
MINUTE = 60_000_000


class Engine:
    """An engine as the office reaches it: `zone` is what its resolver answers, `steps` what it finds."""

    def __init__(self, zone: dict[tuple[str, str], Found], *steps: Probed) -> None:
        self.zone, self.steps = zone, steps
        self.probed: list[Probe] = []

    def ask(self, question: Question) -> Found:
        return self.zone.get((question.name, question.record.value), ABSENT)

    def probe(self, call: Probe) -> tuple[Probed, ...]:
        self.probed.append(call)
        return self.steps


def txt(text: str) -> Found:
    return Found(texts=(text.encode(),))


ZONE = {
    (HOST, "A"): Found(names=(US,)), ("clinic.test", "MX"): Found(names=(HOST,)),
    ("clinic.test", "TXT"): txt(f"v=spf1 ip4:{US} -all"),
}  # fmt: skip
FINE = (Probed(probes.HOST, probes.GOOD, "mail.tenant.test:25"), Probed(probes.TLS, probes.GOOD, "TLSv1.3"))


@pytest.fixture
def made(cast: Any) -> acts.Made:
    domains.add_domain(cast.clinic, "clinic.test", actor=BOOTSTRAP)
    return acts.add_connection(cast.clinic, "Ours", "microsoft365", actor=cast.ada)


def tried(cast: Any, made: acts.Made) -> dict[str, tuple[str, str]]:
    one = select.connection(cast.clinic, cast.ada, made.connection)
    return {line.step: (line.state, line.mend) for line in one.findings}


def test_what_was_found_is_kept_told_and_shown_with_the_mend(cast: Any, told: Any, made: acts.Made) -> None:
    bad = Probed(probes.TLS, probes.BAD, "TLSv1.2", "expired")
    engine = Engine(ZONE, FINE[0], bad, Probed(probes.RECIPIENT, probes.SKIPPED))
    told()
    probing.probe(cast.clinic, made.connection, actor=cast.ada, engine=engine, host=HOST, mailbox=BOX)
    assert engine.probed == [Probe(cast.clinic.bytes, str(made.connection), BOX)]
    (event,) = told()
    assert (event.event.kind, event.event.result) == ("gateway.probed", "failed")
    assert event.event.facts == {"gateway": str(made.connection)} and event.personal["mailbox"] == BOX
    assert "tls=expired" in event.personal["found"] and BOX not in event.personal["found"]
    found = tried(cast, made)
    assert list(found) == ["mx", "spf", "dkim", "host", "tls", "recipient"]
    assert found["mx"] == ("good", "") and found["spf"] == ("good", "") and found["host"] == ("good", "")
    assert found["dkim"] == ("bad", mends.MENDS["dkim-missing"]), "the domain's key is not in that zone"
    assert found["tls"] == ("bad", mends.MENDS["expired"]) and found["recipient"] == ("skipped", "")
    probing.probe(cast.clinic, made.connection, actor=cast.ada, engine=Engine(ZONE, *FINE), host=HOST)
    found = tried(cast, made)
    assert found["tls"] == ("good", "") and "recipient" not in found
    with scope.organisation(cast.clinic):
        assert Finding.objects.filter(org_id=cast.clinic).count() == 5


def test_what_was_not_asked_any_more_is_not_told_as_missing(
    cast: Any, made: acts.Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "QUESTIONS", 0)
    probing.probe(cast.clinic, made.connection, actor=cast.ada, engine=Engine(ZONE), host=HOST)
    found = tried(cast, made)
    assert {found[step] for step in ("mx", "spf", "dkim")} == {("bad", mends.MENDS["dns-failure"])}


def test_a_test_message_waits_comes_back_or_did_not(cast: Any, made: acts.Made) -> None:
    sent = Probed(probes.SENT, probes.GOOD, "handed over")
    probing.probe(
        cast.clinic, made.connection, actor=cast.ada, engine=Engine(ZONE, *FINE, sent), host=HOST, mailbox=BOX,
        send=True,
    )  # fmt: skip
    assert tried(cast, made)["returned"] == ("waits", "")
    now = clock.now()
    clock.set_source(lambda: now + 16 * MINUTE)
    try:
        assert tried(cast, made)["returned"] == ("bad", mends.MENDS["not-returned"])
    finally:
        clock.set_source(None)
    event = Event(
        v=1, id="e", org=str(cast.clinic), source="shard-0", seq=1, at=clock.now(), kind=kinds.GATEWAY_RETURNED,
        actor=EventActor("gateway", "g"), on=["m"], result="ok", cause="", policy="", category="", commit={},
        facts={"gateway": str(made.connection)},
    )  # fmt: skip
    seen.note(cast.clinic.bytes, event)
    assert tried(cast, made)["returned"] == ("good", "")
    with scope.organisation(cast.clinic):
        (row,) = Seen.objects.filter(org_id=cast.clinic)
        assert row.message == "", "the test message is in no history"


def test_only_a_mailbox_of_the_connections_domains_is_asked_for(cast: Any, told: Any, made: acts.Made) -> None:
    engine = Engine(ZONE, *FINE)
    told()
    for box, send, words in (
        ("someone@elsewhere.test", False, "not in a sender domain"), ("", True, "Name a mailbox"),
        ("a@clinic.test>\r\nDATA", False, "not a domain"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=words):
            probing.probe(
                cast.clinic, made.connection, actor=cast.ada, engine=engine, host=HOST, mailbox=box, send=send
            )
    assert engine.probed == [] and told() == []


def test_strangers_try_nothing_and_without_an_engine_nothing_is_kept(cast: Any, told: Any, made: acts.Made) -> None:
    engine = Engine(ZONE, *FINE)
    told()
    for who in (cast.stan, cast.hal, cast.olga):
        with pytest.raises(Forbidden):
            probing.probe(cast.clinic, made.connection, actor=who, engine=engine, host=HOST)
    with pytest.raises(NotFound):
        probing.probe(cast.clinic, uuid.uuid4(), actor=cast.ada, engine=engine, host=HOST)

    class Away(Engine):
        def probe(self, call: Probe) -> tuple[Probed, ...]:
            raise Unavailable("engine-away", "No engine answers.")

    with pytest.raises(Unavailable):
        probing.probe(cast.clinic, made.connection, actor=cast.ada, engine=Away(ZONE), host=HOST)
    assert engine.probed == [] and told() == [] and tried(cast, made) == {}


RECORD = "v=DKIM1; k=ed25519; p=AAAA"
ASKED = records.Asked(Settings(), HOST, ("clinic.test",), {"clinic.test": (("s1", RECORD),)}, "spf.provider.test")
GOOD_ZONE = ZONE | {("s1._domainkey.clinic.test", "TXT"): txt("v=DKIM1;k=ed25519; p=AA AA")}


@pytest.mark.parametrize(
    ("step", "zone", "settings", "cause"),
    [
        ("mx", {("clinic.test", "MX"): FAILED}, {}, "dns-failure"),
        ("mx", {("clinic.test", "MX"): ABSENT}, {}, "mx-missing"),
        ("mx", {("clinic.test", "MX"): Found(names=("mail.tenant.test",))}, {"inbound": True}, "mx-not-here"),
        ("mx", {("clinic.test", "MX"): Found(names=(HOST, "mail.tenant.test"))}, {"inbound": True}, "mx-also"),
        ("mx", {}, {"inbound": True}, ""),
        ("spf", {("clinic.test", "TXT"): txt("hello")}, {}, "spf-missing"),
        ("spf", {("clinic.test", "TXT"): Found(texts=(b"v=spf1 -all", b"v=spf1 ~all"))}, {}, "spf-two"),
        ("spf", {("clinic.test", "TXT"): txt("v=spf1 ip4:198.51.100.1 -all")}, {}, "spf-without-us"),
        ("spf", {(HOST, "A"): ABSENT}, {}, "host-without-address"),
        ("spf", {}, {"mode": RETURN}, "spf-without-provider"),
        ("spf", {("clinic.test", "TXT"): txt("v=spf1 include:spf.provider.test -all")}, {"mode": RETURN}, ""),
        ("dkim", {("s1._domainkey.clinic.test", "TXT"): ABSENT}, {}, "dkim-missing"),
        ("dkim", {("s1._domainkey.clinic.test", "TXT"): txt("v=DKIM1; p=BBBB")}, {}, "dkim-other"),
        ("dkim", {}, {}, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_record_says_what_is_amiss(step: str, zone: Any, settings: dict[str, Any], cause: str) -> None:
    engine = Engine(GOOD_ZONE | zone)
    given = records.Asked(Settings(**settings), HOST, ASKED.domains, ASKED.keys, ASKED.include)
    found = {one.step: one for one in run(records.check(given), engine.ask)}
    assert found[step].cause == cause and found[step].state == ("bad" if cause else "good")
    assert found[step].found


def test_every_cause_has_a_mend_and_every_step_a_name() -> None:
    assert set(mends.TITLES) == set(probes.STEPS) and Record.MX
    assert all(text.endswith((".", "!")) for text in mends.MENDS.values())
    assert mends.mend("never-heard-of") == mends.OTHER and mends.mend("") == ""
