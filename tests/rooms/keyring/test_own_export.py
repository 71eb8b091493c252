"""The private part of an own key given out: to whom, when, as what; who is told; and what other programs read."""

import subprocess
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from carepost.crypto.openpgp import secret
from carepost.crypto.openpgp.secret import WrongPassphrase
from carepost.crypto.smime import identity
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.keyring import factor, own_acts, own_export
from carepost.keyring.own_export import TakenOut
from carepost.policy.types import Method
from carepost.tenancy.actions import domains, staff
from carepost.tenancy.permissions import BOOTSTRAP, COMMAND_LINE, Forbidden
from tests.support.mailroom import KeptDoor
from tests.support.openpgp import Gpg

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

ADA = "ada@clinic.test"
NOW_US = 1_000_000


@pytest.fixture
def door(cast: Any) -> KeptDoor:
    domains.add_domain(cast.clinic, "clinic.test", actor=BOOTSTRAP)
    staff.add_staff(cast.clinic, "bea@clinic.test", "Bea Pier", "administrator", actor=BOOTSTRAP)
    return KeptDoor()


def key(cast: Any, method: Method = Method.SMIME) -> uuid.UUID:
    kind = "ec-p256" if method is Method.SMIME else "curve25519"
    made = own_acts.generate_key(cast.clinic, ADA, method=method, actor=cast.ada, reason="first", algorithm=kind)
    return made.pk


def out(cast: Any, door: KeptDoor, row: uuid.UUID, *, ago_s: int = 5, **more: Any) -> TakenOut:
    given = {"actor": cast.ada, "reason": "her mail program", "confirmed_at": clock.now() - ago_s * NOW_US} | more
    return own_export.take_out(cast.clinic, row, door=door, **given)


def test_a_pkcs12_file_that_openssl_reads_and_the_others_are_told(
    cast: Any, door: KeptDoor, told: Any, tmp_path: Path
) -> None:
    row = key(cast)
    told()
    taken = out(cast, door, row)
    assert (taken.told, taken.name[-4:]) == (1, ".p12") and len(taken.passphrase) == 35
    file = tmp_path / "key.p12"
    file.write_bytes(taken.data)
    command = ["openssl", "pkcs12", "-in", str(file), "-nodes", "-passin", f"pass:{taken.passphrase}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "BEGIN PRIVATE KEY" in done.stdout and "BEGIN CERTIFICATE" in done.stdout
    found = identity.import_pkcs12(taken.data, taken.passphrase)
    assert found.certificate.addresses == {ADA}
    (event,) = told()
    assert event.event.kind == "keyring.own-key-taken-out" and event.event.on == [str(row)]
    assert event.event.facts == {"method": "smime", "state": "active", "count": "1"}
    assert event.personal["reason"] == "her mail program"
    (letter,) = door.taken
    assert letter.envelope.recipients[0].address == "bea@clinic.test"
    assert b"private" in letter.body and ADA.encode() not in letter.body and taken.passphrase not in repr(taken)


def test_an_openpgp_key_that_gpg_reads(cast: Any, door: KeptDoor) -> None:
    row = key(cast, Method.OPENPGP)
    taken = out(cast, door, row)
    with pytest.raises(WrongPassphrase):
        secret.load(taken.data, "not this one")
    known = secret.load(taken.data, taken.passphrase)
    own = own_acts.row_of(cast.clinic, row)
    assert known.certificate.fingerprint == own_acts.opened(own).fingerprint and len(known.secrets) == 3
    with closing(Gpg()) as gpg:
        gpg.run("--passphrase", taken.passphrase, "--import", data=taken.data)
        assert gpg.run("--passphrase", taken.passphrase, "-u", ADA, "--sign", data=b"An invented word.")


def test_without_a_fresh_second_factor_or_a_letter_nothing_is_given(cast: Any, door: KeptDoor, told: Any) -> None:
    row = key(cast)
    told()
    for ago in (factor.FRESH_S + 5, -60, clock.now() // NOW_US):
        with pytest.raises(Refused, match="second factor"):
            out(cast, door, row, ago_s=ago)
    door.closed = True
    with pytest.raises(Unavailable):
        out(cast, door, row)
    assert told() == [] and door.taken == []


def test_strangers_the_terminal_and_what_is_kept_in(cast: Any, door: KeptDoor, told: Any) -> None:
    row = key(cast)
    for actor in (cast.olga, cast.hal, COMMAND_LINE):
        with pytest.raises(Forbidden):
            out(cast, door, row, actor=actor)
    with pytest.raises(NotFound):
        out(cast, door, uuid.uuid4())
    for actor in (cast.olga, cast.hal):
        with pytest.raises(Forbidden):
            own_export.keep_in(cast.clinic, row, actor=actor, reason="no")
    told()
    own_export.keep_in(cast.clinic, row, actor=cast.ada, reason="decided by the board")
    assert [one.event.kind for one in told()] == ["keyring.own-key-kept-in"]
    with pytest.raises(Refused, match="never to be given out"):
        out(cast, door, row)
    own_acts.revoke_key(cast.clinic, row, actor=cast.ada, reason="lost")
    other = own_acts.generate_key(
        cast.clinic, "desk@clinic.test", method=Method.SMIME, actor=cast.ada, reason="asked", algorithm="ec-p256",
        waiting=True,
    )  # fmt: skip
    with pytest.raises(Refused, match="with its certificate"):
        out(cast, door, other.pk)
    assert door.taken == []
