"""Sender domains, DKIM pairs, routes."""

from pathlib import Path
from typing import Any

import dkim as dkimpy
import pytest
import trustme

from carepost.crypto import dkim
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.rfc.address import parse_domain
from carepost.tenancy import keys, select
from carepost.tenancy.actions import dkim_keys, domains, routes
from carepost.tenancy.names import Wrong

pytestmark = pytest.mark.django_db(databases=["default", "records"])

MAIL = b"From: nurse@clinic.test\r\nTo: a@x.test\r\nSubject: s\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nbody\r\n"


def test_a_domain_comes_with_a_pair_that_signs_what_its_records_verify(cast: Any, told: Any, epoch: Any) -> None:
    before = epoch(cast.clinic)
    row = domains.add_domain(cast.clinic, " Clinic.TEST. ", actor=cast.ada)
    assert row.domain == "clinic.test"
    pair = list(row.dkim_keys.order_by("algorithm"))
    assert [k.algorithm for k in pair] == ["ed25519-sha256", "rsa-sha256"]
    for key in pair:
        aad = b"dkim|" + cast.clinic.bytes + b"|clinic.test|" + key.selector.encode()
        private = keys.purposes().unwrap("dkim", bytes(key.wrapped), aad)
        signed = dkim.Signer("clinic.test", key.selector, key.algorithm, private).sign(MAIL, clock.now() // 1_000_000)
        records = {f"{key.selector}._domainkey.clinic.test.".encode(): key.record.encode()}
        assert dkimpy.verify(signed + MAIL, dnsfunc=lambda name, timeout=5, known=records: known.get(name))
    (event,) = told()
    assert event.event.kind == "domain.added"
    assert event.event.facts["domain"] == "clinic.test"
    assert set(event.event.facts["selectors"].split()) == {k.selector for k in pair}
    assert epoch(cast.clinic) == before + 1


def test_a_domain_belongs_to_one_organisation(cast: Any) -> None:
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    with pytest.raises(Wrong):
        domains.add_domain(cast.harbour, "clinic.test", actor=cast.hal)
    with pytest.raises(Wrong):
        domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    assert select.domains(cast.harbour) == []


def test_a_removed_domain_is_free_again_and_its_keys_sign_no_more(cast: Any, told: Any) -> None:
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    domains.remove_domain(cast.clinic, "clinic.test", actor=cast.ada, reason="sold")
    assert told()[-1].event.kind == "domain.removed"
    assert select.domains(cast.clinic) == []
    with pytest.raises(NotFound):
        dkim_keys.make_next(cast.clinic, "clinic.test", actor=cast.ada)
    domains.add_domain(cast.harbour, "clinic.test", actor=cast.hal)


def test_a_domain_that_comes_back_has_new_selectors(cast: Any) -> None:
    first = {k.selector for k in domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada).dkim_keys.all()}
    domains.remove_domain(cast.clinic, "clinic.test", actor=cast.ada, reason="mistake")
    again = domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    live = {k.selector for k in again.dkim_keys.filter(retired_at=0)}
    assert len(live) == 2
    assert not live & first


def test_signing_changes_to_the_next_pair_only_when_dns_shows_it(cast: Any, told: Any, epoch: Any) -> None:
    row = domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    old = {k.selector for k in row.dkim_keys.all()}
    made = dkim_keys.make_next(cast.clinic, "clinic.test", actor=cast.ada)
    assert told()[-1].event.kind == "domain.dkim-next"
    assert not {k.selector for k in made} & old and [k.algorithm for k in made] == ["rsa-sha256", "ed25519-sha256"]
    assert signing(row) == old
    with pytest.raises(Refused, match="waits already"):
        dkim_keys.make_next(cast.clinic, "clinic.test", actor=cast.ada)
    shown = {k.selector: (k.record.encode(),) for k in made}
    before = epoch(cast.clinic)
    for short in ({}, dict(list(shown.items())[:1]), dict.fromkeys(shown, (b"v=DKIM1; p=",))):
        with pytest.raises(Refused, match="signed as before"):
            dkim_keys.switch(cast.clinic, "clinic.test", actor=cast.ada, shown=short)
    assert (signing(row), epoch(cast.clinic)) == (old, before)
    dkim_keys.switch(cast.clinic, "clinic.test", actor=cast.ada, shown=shown)
    assert (signing(row), epoch(cast.clinic)) == ({k.selector for k in made}, before + 1)
    event = told()[-1].event
    assert event.kind == "domain.dkim-rotated" and set(event.facts["former"].split()) == old
    with pytest.raises(Refused, match="no next key"):
        dkim_keys.switch(cast.clinic, "clinic.test", actor=cast.ada, shown=shown)


def test_a_key_is_revoked_but_never_the_last_that_signs(cast: Any, told: Any, epoch: Any) -> None:
    row = domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    one, other = sorted(signing(row))
    before = epoch(cast.clinic)
    dkim_keys.revoke(cast.clinic, "clinic.test", one, actor=cast.ada, reason="it leaked")
    assert (signing(row), epoch(cast.clinic)) == ({other}, before + 1)
    last = told()[-1]
    assert last.event.kind == "domain.dkim-revoked" and last.personal == {"reason": "it leaked"}
    with pytest.raises(Refused, match="leave unsigned"):
        dkim_keys.revoke(cast.clinic, "clinic.test", other, actor=cast.ada, reason="r")
    with pytest.raises(NotFound):
        dkim_keys.revoke(cast.clinic, "clinic.test", one, actor=cast.ada, reason="twice")
    # one that waits may go: nothing was ever signed with it
    (waiting,) = dkim_keys.make_next(cast.clinic, "clinic.test", actor=cast.ada, algorithms=("rsa-sha256",))
    dkim_keys.revoke(cast.clinic, "clinic.test", waiting.selector, actor=cast.ada, reason="not wanted")
    with pytest.raises(Refused, match="no next key"):
        dkim_keys.switch(cast.clinic, "clinic.test", actor=cast.ada, shown={})
    assert signing(row) == {other}


def signing(row: Any) -> set[str]:
    return {k.selector for k in row.dkim_keys.all() if k.signs}


@pytest.mark.parametrize(
    "typed", ["", "localhost", "a..b", "-a.test", "a_b.test", "x" * 64 + ".test", "a b.test", "ü\n.test"]
)
def test_what_is_no_domain_is_refused(typed: str, cast: Any) -> None:
    with pytest.raises(Wrong):
        domains.add_domain(cast.clinic, typed, actor=cast.ada)


def test_an_international_domain_is_kept_in_a_labels(cast: Any) -> None:
    assert domains.add_domain(cast.clinic, "bücher.test", actor=cast.ada).domain == "xn--bcher-kva.test"
    # BI-063: the door reads "ß" as IDNA 2008 does, so the table must not keep another domain's name
    assert domains.add_domain(cast.clinic, "faß.test", actor=cast.ada).domain == parse_domain("faß.test") != "fass.test"


def test_a_route_is_pinned_with_its_ca_and_replaced_on_record(cast: Any, told: Any, tmp_path: Path) -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    routes.add_route(cast.clinic, "partner.test", "mx.partner.test", 25, actor=cast.ada, ca=pem)
    routes.add_route(cast.clinic, "partner.test", "mx2.partner.test", 2525, actor=cast.ada)
    (row,) = select.routes(cast.clinic)
    assert (row.host, row.port, row.ca) == ("mx2.partner.test", 2525, "")
    first, second = told()
    assert first.event.facts == {"domain": "partner.test", "ca": "own"}
    assert second.personal == {"old": "mx.partner.test:25", "new": "mx2.partner.test:2525"}
    routes.remove_route(cast.clinic, "partner.test", actor=cast.ada, reason="contract ended")
    assert select.routes(cast.clinic) == []
    assert told()[0].event.kind == "route.removed"
    assert select.routes(cast.harbour) == []


@pytest.mark.parametrize(
    ("host", "port", "ca"),
    [("mx.x.test", 0, ""), ("mx.x.test", 70_000, ""), ("mx x", 25, ""), ("mx.x.test", 25, "no PEM")],
)
def test_a_route_that_cannot_be_is_refused(host: str, port: int, ca: str, cast: Any) -> None:
    with pytest.raises(Wrong):
        routes.add_route(cast.clinic, "x.test", host, port, actor=cast.ada, ca=ca)
