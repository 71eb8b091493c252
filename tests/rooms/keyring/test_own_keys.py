"""The organisation's own keys: made, brought in, certified, rotated, revoked; what the engine gets, and who may."""

import datetime
import uuid
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.conf import settings

from carepost.crypto.openpgp import certificate as pgp_certificate
from carepost.crypto.openpgp import keys as pgp
from carepost.crypto.smime import identity
from carepost.directory import Directory
from carepost.directory.ownkeys import SqlOwnSecrets
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.ground.keys import version_of
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.addresses import Tokens
from carepost.intake.ownkeys import OwnKeys
from carepost.keyring import own_acts, warnings
from carepost.keyring.models import OwnKey
from carepost.policy.types import Method
from carepost.tenancy import rewrapping
from carepost.tenancy.actions import domains, retention
from carepost.tenancy.permissions import Forbidden
from tests.rooms.journal.test_rewrapping import only_newest, rotated
from tests.rooms.tenancy.test_engine_views import source

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

ADA, OFFICE = "ada@clinic.test", "office@clinic.test"
DAY = 86_400_000_000


class Engine:
    """What an engine would do with the tables as they are."""

    def __init__(self, org: uuid.UUID) -> None:
        self.org = org
        held = settings.CAREPOST_KEYS
        self.directory = Directory(source(held))
        read = self.directory._source
        self.secrets = SqlOwnSecrets(read._connect, held, begin=read._begin, placeholder=_placeholder(read))
        self.keys = OwnKeys(Tokens(OrgKeys(held)), self.secrets)

    def snapshot(self) -> Any:
        self.directory.poll()
        return self.directory.snapshot(self.org.bytes)

    def signs(self, sender: str = ADA, method: Method = Method.SMIME) -> str:
        """Fingerprint of the certificate that signs."""
        snapshot = self.snapshot()
        key = self.keys.signing(snapshot, sender, method)
        if key is None:
            return ""
        if method is Method.SMIME:
            return self.keys.smime(snapshot, key).certificate.fingerprint
        return self.keys.openpgp(snapshot, key).certificate.fingerprint

    def opens(self, address: str = ADA) -> list[str]:
        return [key.id for key in self.keys.decrypting(self.snapshot(), address)]


def _placeholder(read: Any) -> str:
    return "?" if "?" in read._select["engine_org"] else "%s"


@pytest.fixture
def engine(cast: Any) -> Any:
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    made = Engine(cast.clinic)
    yield made
    made.directory.stop()
    made.secrets.close()


def make(cast: Any, address: str = ADA, **more: Any) -> OwnKey:
    more = {"method": Method.SMIME, "algorithm": "ec-p256", "reason": "first", "actor": cast.ada} | more
    if more["method"] is Method.OPENPGP and more["algorithm"] == "ec-p256":
        more["algorithm"] = "curve25519"
    return own_acts.generate_key(cast.clinic, address, **more)


def fingerprint(row: OwnKey) -> str:
    return own_acts.opened(row).fingerprint


def pkcs12(address: str = ADA, *, days: int = 365, ago: int = 1, kind: str = "ec-p256") -> bytes:
    made = identity.self_signed(identity.generate(kind), address, clock.now() - ago * DAY, days=days)
    return identity.export_pkcs12(made, "correct horse battery")


def authority() -> bytes:
    """The certificate of an authority that also names Ada and mail."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ada")])
    now = datetime.datetime.fromtimestamp(clock.now() // 1_000_000, datetime.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(secret.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=300))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )  # fmt: skip
    for extension, critical in identity.extensions(secret, ADA):
        builder = builder.add_extension(extension, critical=critical)
    made = builder.sign(secret, hashes.SHA256()).public_bytes(Encoding.DER)
    return identity.export_pkcs12(identity.load(identity.private_bytes(secret), made), "correct horse battery")


@pytest.mark.parametrize("method", [Method.SMIME, Method.OPENPGP], ids=["smime", "openpgp"])
def test_a_key_made_here_signs_and_opens_from_then_on_and_is_on_record(
    cast: Any, told: Any, epoch: Any, engine: Any, method: Method
) -> None:
    assert engine.signs(method=method) == "" and engine.opens() == []
    told()
    before = epoch(cast.clinic)
    row = make(cast, " Ada@Clinic.test", method=method)
    assert (row.state, row.signs, row.decrypts, row.source) == ("active", True, True, "generated")
    (event,) = told()
    assert event.event.kind == "keyring.own-key-made"
    assert event.event.facts["method"] == method.value and event.event.facts["owner"] == "address"
    assert event.personal["reason"] == "first" and "clinic.test" not in str(event.event)
    assert epoch(cast.clinic) == before + 1
    assert engine.signs(method=method) == fingerprint(row)
    assert engine.opens() == [str(row.pk)]
    assert engine.opens("someone@clinic.test") == [], "it is Ada's alone"
    private = own_acts.private(row)
    assert private[10:40] not in bytes(row.wrapped) and b"clinic.test" not in bytes(row.sealed) + bytes(row.token)


def test_the_organisations_key_signs_for_who_has_none_and_opens_for_all(cast: Any, engine: Any) -> None:
    shared = make(cast, OFFICE, shared=True)
    assert engine.signs() == engine.signs("someone@clinic.test") == fingerprint(shared)
    assert engine.signs("eve@elsewhere.test") == "", "never in the name of a domain that is not the organisation's"
    own = make(cast, ADA)
    assert engine.signs() == fingerprint(own) and engine.signs("someone@clinic.test") == fingerprint(shared)
    assert engine.opens() == [str(own.pk), str(shared.pk)]


def test_rotation_signs_with_the_new_key_at_once_and_opens_with_the_old_until_its_time(cast: Any, engine: Any) -> None:
    retention.keep_content(cast.clinic, 30, actor=cast.ada, reason="thirty days")
    old = make(cast)
    new = own_acts.rotate_key(cast.clinic, old.pk, actor=cast.ada, reason="yearly")
    old.refresh_from_db()
    assert (old.state, new.state, new.algorithm) == ("retired", "active", "ec-p256")
    assert abs(old.until - clock.now() - 30 * DAY) < DAY, "as long as content is kept"
    assert engine.signs() == fingerprint(new) != fingerprint(old)
    assert engine.opens() == [str(new.pk), str(old.pk)]
    newest = own_acts.rotate_key(cast.clinic, new.pk, actor=cast.ada, reason="again", overlap=0)
    assert engine.opens() == [str(newest.pk), str(old.pk)], "an overlap of no days ends at once"
    with pytest.raises(Refused, match="in use"):
        own_acts.rotate_key(cast.clinic, old.pk, actor=cast.ada, reason="again")


def test_content_kept_for_ever_keeps_its_keys_for_ever(cast: Any, engine: Any) -> None:
    retention.keep_content(cast.clinic, 0, actor=cast.ada, reason="all")
    old = make(cast)
    make(cast)
    old.refresh_from_db()
    assert (old.state, old.until) == ("retired", 0)


def test_a_request_waits_for_its_certificate_and_the_old_key_signs_until_then(cast: Any, engine: Any) -> None:
    old = make(cast)
    new = own_acts.rotate_key(cast.clinic, old.pk, actor=cast.ada, reason="from our authority", waiting=True)
    assert new.state == "waiting" and engine.signs() == fingerprint(old)
    request = x509.load_pem_x509_csr(own_acts.opened(new).request)
    issued = certify(request)
    with pytest.raises(Refused, match="belongs to this key"):
        own_acts.install_certificate(cast.clinic, new.pk, pem(certify(other_request())), actor=cast.ada, reason="r")
    own_acts.install_certificate(cast.clinic, new.pk, pem(issued), actor=cast.ada, reason="it came")
    new.refresh_from_db()
    old.refresh_from_db()
    assert (new.state, old.state) == ("active", "retired")
    assert engine.signs() == issued.fingerprint(hashes.SHA256()).hex()


def other_request() -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr(identity.request(identity.generate("ec-p256"), ADA))


def certify(request: x509.CertificateSigningRequest) -> x509.Certificate:
    """By an authority of the test's own."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Invented Authority")])
    building = (
        x509.CertificateBuilder().subject_name(request.subject).issuer_name(issuer).public_key(request.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=300))
    )  # fmt: skip
    for extension in request.extensions:
        building = building.add_extension(extension.value, extension.critical)
    return building.sign(key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def test_a_pkcs12_file_is_shown_first_and_then_taken(cast: Any, told: Any, engine: Any) -> None:
    first = make(cast)
    told()
    file = pkcs12()
    seen = own_acts.import_key(cast.clinic, file, "correct horse battery", actor=cast.ada, reason="r", dry_run=True)
    assert (seen.address, seen.signs, seen.decrypts, seen.replaces, seen.id) == (ADA, True, True, 1, "")
    assert told() == [] and engine.signs() == fingerprint(first), "a dry run changes nothing"
    taken = own_acts.import_key(cast.clinic, file, "correct horse battery", actor=cast.ada, reason="r")
    assert engine.signs() == taken.fingerprint == seen.fingerprint
    (event,) = told()
    assert event.event.kind == "keyring.own-key-imported"
    assert "correct horse" not in str(event.personal)
    with pytest.raises(Refused) as again:
        own_acts.import_key(cast.clinic, file, "correct horse battery", actor=cast.ada, reason="r")
    assert again.value.code == "key-known"


def test_what_is_wrong_with_a_file_is_said(cast: Any, engine: Any) -> None:
    def code(data: bytes, passphrase: str = "correct horse battery", **more: Any) -> str:
        with pytest.raises(Refused) as refused:
            own_acts.import_key(cast.clinic, data, passphrase, actor=cast.ada, reason="r", **more)
        return refused.value.code

    assert code(pkcs12(), "wrong") == "pkcs12"
    assert code(pkcs12(days=1, ago=30)) == "key-not-usable"
    assert code(pkcs12("eve@elsewhere.test")) == "key-address"
    assert code(pkcs12(), address="other@clinic.test") == "key-not-usable"
    assert code(authority()) == "key-not-usable"
    assert code(b"nothing") != ""
    assert code(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n") == "key-file"
    armored = pgp.export(pgp.generate([("", "eve@elsewhere.test")]))
    assert code(armored, "") == "key-address"
    assert not OwnKey.objects.exists()


def test_a_former_key_that_ran_out_only_opens(cast: Any, engine: Any) -> None:
    taken = own_acts.import_key(
        cast.clinic, pkcs12(days=1, ago=30), "correct horse battery", actor=cast.ada, reason="the old server's",
        former=True,
    )  # fmt: skip
    assert engine.signs() == "" and engine.opens() == [taken.id]


def test_an_openpgp_secret_key_is_brought_in(cast: Any, engine: Any) -> None:
    made = pgp.generate([("Ada Sample", ADA)])
    taken = own_acts.import_key(cast.clinic, pgp.export(made), "", actor=cast.ada, reason="hers")
    assert taken.fingerprint == made.certificate.fingerprint == engine.signs(method=Method.OPENPGP)


@pytest.mark.parametrize("method", [Method.SMIME, Method.OPENPGP], ids=["smime", "openpgp"])
def test_a_revoked_key_signs_and_opens_nothing(cast: Any, told: Any, engine: Any, method: Method) -> None:
    row = make(cast, method=method)
    told()
    assert engine.signs(method=method)
    own_acts.revoke_key(cast.clinic, row.pk, actor=cast.ada, reason="laptop lost")
    assert engine.signs(method=method) == "" and engine.opens() == []
    (event,) = told()
    assert event.event.kind == "keyring.own-key-revoked" and event.personal["reason"] == "laptop lost"
    if method is Method.OPENPGP:
        row.refresh_from_db()
        assert pgp_certificate.read(own_acts.opened(row).revocation).revoked
    with pytest.raises(Refused, match="already"):
        own_acts.revoke_key(cast.clinic, row.pk, actor=cast.ada, reason="again")


def test_keys_come_under_the_newest_master_key(cast: Any, engine: Any) -> None:
    row = make(cast)
    held = settings.CAREPOST_KEYS
    after = rotated(held)
    walk = rewrapping.Walk(after)
    while walk.step() is not None:
        pass
    row.refresh_from_db()
    assert version_of(bytes(row.wrapped)) == after.current and rewrapping.left(after.current) == 0
    (key,) = engine.snapshot().own_keys[bytes(row.token)]
    assert version_of(key.head) == after.current
    newest = SqlOwnSecrets(
        engine.directory._source._connect, only_newest(after), begin=engine.directory._source._begin,
        placeholder=_placeholder(engine.directory._source),
    )  # fmt: skip
    newest._keys = OrgKeys(after)
    assert newest.find(engine.snapshot(), key).kept.address == ADA
    newest.close()


def test_one_that_ends_is_told_in_time_and_not_once_it_was_rotated(cast: Any, told: Any, engine: Any) -> None:
    row = make(cast, days=60)
    told()
    end = row.not_after
    found = []
    for left in (45, 30, 29, 7, 0, -3):
        count = warnings.ending(end - left * DAY - DAY // 2)
        events = [one.event for one in told()]
        assert len(events) == count and all(one.kind == "keyring.own-key-ending" for one in events)
        found += [one.facts["days"] for one in events]
    assert found == ["30", "7", "0"]
    OwnKey.objects.filter(pk=row.pk).update(warned=99, state="retired")
    assert warnings.ending(end) == 0


def test_the_day_on_which_a_key_signed_is_noted_and_no_earlier_one_takes_its_place(cast: Any, engine: Any) -> None:
    row = make(cast)
    at = clock.now()
    own_acts.used(cast.clinic, row.pk, at)
    own_acts.used(cast.clinic, row.pk, at - 3 * DAY)
    own_acts.used(cast.harbour, row.pk, at + 3 * DAY)
    row.refresh_from_db()
    assert row.used_at == at
    own_acts.used(cast.clinic, row.pk, at + DAY)
    row.refresh_from_db()
    assert row.used_at == at + DAY


ACTS = {
    "generate": lambda org, by, _key: own_acts.generate_key(org, ADA, method=Method.SMIME, actor=by, reason="r"),
    "import": lambda org, by, _key: own_acts.import_key(org, b"", "", actor=by, reason="r", dry_run=True),
    "install": lambda org, by, key: own_acts.install_certificate(org, key, b"", actor=by, reason="r"),
    "rotate": lambda org, by, key: own_acts.rotate_key(org, key, actor=by, reason="r"),
    "revoke": lambda org, by, key: own_acts.revoke_key(org, key, actor=by, reason="r"),
    "always": lambda org, by, key: own_acts.set_always(org, key, True, actor=by, reason="r"),
}


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_stranger_an_operator_and_another_organisation_may_not(cast: Any, told: Any, engine: Any, name: str) -> None:
    row = make(cast)
    told()
    for actor in (cast.stan, cast.olga, cast.hal):
        with pytest.raises(Forbidden):
            ACTS[name](cast.clinic, actor, row.pk)
    if name not in ("generate", "import"):
        with pytest.raises(NotFound):
            ACTS[name](cast.harbour, cast.hal, row.pk)
    assert told() == []
