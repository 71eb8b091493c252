"""The organisation as its own authority: what it signs is taken by openssl and refused once taken back; its lists lie
ready before the old ones end; its certificates are followed by new ones; nobody else may, and no key leaves."""

import subprocess
import uuid
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.test import Client, override_settings

from carepost.crypto.smime import identity, message
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.revocation import Evidence
from carepost.crypto.smime.signing import Signer
from carepost.crypto.smime.usable import Trust
from carepost.crypto.smime.usable import for_signature as judged
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.ground.keys import WrongKey, version_of
from carepost.keyring import authorities, issuing, own_acts
from carepost.keyring.models import Authority, AuthorityList, Issued, OwnKey
from carepost.policy.types import Method
from carepost.settings import outside
from carepost.tenancy import rewrapping
from carepost.tenancy.actions import domains
from carepost.tenancy.endings import DAY_US
from carepost.tenancy.permissions import COMMAND_LINE, Forbidden
from carepost.wire.types import Actor
from tests.rooms.journal.test_rewrapping import only_newest, rotated
from tests.support.noon import at_present
from tests.support.smime import NOW, gpgsm, openssl

__all__ = ["at_present"]

pytestmark = pytest.mark.django_db(databases=["default", "records"], transaction=True)

ADA, OFFICE = "ada@clinic.test", "office@clinic.test"
HOST = "http://portal.clinic.test:8082"


@pytest.fixture
def there(cast: Any) -> Authority:
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    return make(cast)


def make(cast: Any, **more: Any) -> Authority:
    return authorities.make_authority(
        cast.clinic, actor=cast.ada, reason="partners trust us", confirmed_at=clock.now(),
        **{"algorithm": "ec-p384", "where": HOST, **more},
    )  # fmt: skip


def issue(cast: Any, address: str = ADA, **more: Any) -> OwnKey:
    return authorities.generate_key(
        cast.clinic, address, actor=cast.ada, reason="r", **{"algorithm": "ec-p256", **more}
    )


def served(row: Authority, part: str = "crl", host: str = "crl.clinic.test") -> Any:
    """As the process that faces outside answers it, at a host it does not know."""
    with override_settings(
        MIDDLEWARE=outside.MIDDLEWARE, ROOT_URLCONF=outside.ROOT_URLCONF, ALLOWED_HOSTS=["portal.test"]
    ):
        return Client().get(f"{row.where.removeprefix(HOST)}.{part}", headers={"host": host})


class Partner:
    """Has the authority's certificate and fetches its list; judges with openssl."""

    def __init__(self, folder: Path, row: Authority) -> None:
        self.folder, self.row = folder, row
        (folder / "ca.pem").write_bytes(issuing.own(row).pem())

    def fetch(self) -> x509.CertificateRevocationList:
        answer = served(self.row)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pkix-crl")
        (self.folder / "crl.der").write_bytes(answer.content)
        openssl("crl", "-inform", "DER", "-in", self.folder / "crl.der", "-out", self.folder / "crl.pem")
        return x509.load_der_x509_crl(answer.content)

    def takes(self, key: OwnKey) -> bool:
        self.fetch()
        (self.folder / "leaf.pem").write_bytes(leaf(key).public_bytes(Encoding.PEM))
        asked = ["-x509_strict", "-purpose", "smimesign", "-crl_check", "-CAfile", str(self.folder / "ca.pem")]
        asked += ["-CRLfile", str(self.folder / "crl.pem"), str(self.folder / "leaf.pem")]
        done = subprocess.run(["openssl", "verify", *asked], capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) != ("certificate revoked" in done.stderr), done.stderr
        return done.returncode == 0


def leaf(key: OwnKey) -> x509.Certificate:
    return x509.load_der_x509_certificate(own_acts.opened(key).raw)


def signer(key: OwnKey) -> identity.Identity:
    kept = own_acts.opened(key)
    return identity.load(own_acts.private(key), kept.raw, kept.chain)


@pytest.mark.parametrize("algorithm", ["ec-p384", "rsa-3072"])
def test_openssl_takes_what_it_signs_and_refuses_what_was_taken_back(
    cast: Any, told: Any, tmp_path: Path, algorithm: str
) -> None:
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    told()
    row = make(cast, algorithm=algorithm)
    kinds = [one.event.kind for one in told()]
    assert kinds == ["keyring.authority-made", "keyring.list-signed"]
    own, shared = issue(cast), issue(cast, OFFICE, shared=True)
    partner = Partner(tmp_path, row)
    assert partner.takes(own) and partner.takes(shared)
    mail = b"From: ada@clinic.test\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\nAll is well.\r\n"
    (tmp_path / "signed").write_bytes(message.sign(mail, Signer(signer(own)), clock.now()))
    (tmp_path / "both.pem").write_bytes((tmp_path / "ca.pem").read_bytes() + (tmp_path / "crl.pem").read_bytes())
    read = ("cms", "-verify", "-in", tmp_path / "signed", "-crl_check", "-CAfile", tmp_path / "both.pem")
    assert openssl(*read).endswith(b"All is well.\r\n")
    told()
    own_acts.revoke_key(cast.clinic, own.pk, actor=cast.ada, reason="laptop lost", cause="key-compromise")
    assert [one.event.kind for one in told()] == ["keyring.list-signed", "keyring.own-key-revoked"]
    assert not partner.takes(own) and partner.takes(shared)
    (entry,) = partner.fetch()
    assert entry.serial_number == leaf(own).serial_number
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == x509.ReasonFlags.key_compromise
    (tmp_path / "both.pem").write_bytes((tmp_path / "ca.pem").read_bytes() + (tmp_path / "crl.pem").read_bytes())
    with pytest.raises(AssertionError):
        openssl(*read)


def test_what_its_certificates_say(cast: Any, there: Authority) -> None:
    def has(one: x509.Certificate, kind: Any) -> Any:
        return one.extensions.get_extension_for_class(kind)

    ca, made = x509.load_der_x509_certificate(bytes(there.der)), leaf(issue(cast))
    basic, usage = has(ca, x509.BasicConstraints), has(ca, x509.KeyUsage)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert usage.critical and usage.value.key_cert_sign and usage.value.crl_sign and not usage.value.digital_signature
    assert [one.value for one in has(ca, x509.NameConstraints).value.permitted_subtrees] == ["clinic.test"]
    assert made.serial_number.bit_length() > 64 and ca.serial_number.bit_length() > 64
    assert (
        has(made, x509.AuthorityKeyIdentifier).value.key_identifier == has(ca, x509.SubjectKeyIdentifier).value.digest
    )
    assert has(made, x509.SubjectAlternativeName).value.get_values_for_type(x509.RFC822Name) == [ADA]
    (point,) = has(made, x509.CRLDistributionPoints).value
    assert [one.value for one in point.full_name] == [f"{HOST}/ca/{cast.clinic}/{there.pk}.crl"]
    (access,) = has(made, x509.AuthorityInformationAccess).value
    assert access.access_location.value == f"{HOST}/ca/{cast.clinic}/{there.pk}.cer"
    assert served(there, "cer").content == bytes(there.der)
    with pytest.raises(Refused):
        issue(cast, OFFICE, days=826)
    # what we sign is also what we take
    trust = Trust(TrustStore([bytes(there.der)]), evidence=Evidence(crls=(served(there).content,)))
    kept = own_acts.opened(OwnKey.objects.get(org_id=cast.clinic))
    known = signer(OwnKey.objects.get(org_id=cast.clinic)).certificate
    assert judged(known, ADA, clock.now(), trust, kept.chain).reasons == ()


def test_gpgsm_takes_what_it_signs(cast: Any, at: list[int], tmp_path: Path) -> None:
    """GnuPG refuses a chain with a critical extension it does not know, such as name constraints."""
    at[0] = NOW - 3_600_000_000
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    row = make(cast, algorithm="rsa-3072")
    one = signer(issue(cast, algorithm="rsa-3072"))
    mail = b"From: ada@clinic.test\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\nAll is well.\r\n"
    signed = message.sign(mail, Signer(one), at[0], opaque=True)
    (tmp_path / "signed").write_bytes(b64decode(signed.split(b"\r\n\r\n", 1)[1]))
    with gpgsm(tmp_path / "home") as peer:
        ca = issuing.own(row)
        (tmp_path / "home" / "trustlist.txt").write_text(f"{ca.x509.fingerprint(SHA1()).hex().upper()} S relax\n")
        peer.run("--import", data=ca.pem())
        peer.run("--verify", tmp_path / "signed")
        assert "[GNUPG:] GOODSIG" in peer.status and "[GNUPG:] TRUST_FULLY" in peer.status


def test_it_signs_for_nobody_outside_of_its_domains(cast: Any, there: Authority, tmp_path: Path) -> None:
    domains.add_domain(cast.clinic, "later.test", actor=cast.ada)
    with pytest.raises(Refused) as refused:
        issue(cast, "ada@later.test")
    assert refused.value.code == "authority-domain"
    with pytest.raises(Refused):
        issue(cast, "mallory@elsewhere.test")
    # and what it would sign all the same, nobody takes: its own certificate forbids it
    request = identity.request(identity.generate("ec-p256"), "mallory@elsewhere.test")
    forged = issuing.signing.certified(
        issuing.private(there), issuing.own(there), request, "mallory@elsewhere.test", "", clock.now() - 1_000_000, 30,
        where=there.where,
    )  # fmt: skip
    partner = Partner(tmp_path, there)
    partner.fetch()
    (tmp_path / "forged.pem").write_bytes(x509.load_der_x509_certificate(forged).public_bytes(Encoding.PEM))
    with pytest.raises(AssertionError, match="permitted subtree"):
        openssl("verify", "-CAfile", tmp_path / "ca.pem", tmp_path / "forged.pem")
    # a new authority is bound to the domains of now, and takes over; the old list goes on
    second = make(cast)
    assert issuing.domains_of(second) == ("clinic.test", "later.test")
    there.refresh_from_db()
    assert there.state == "retired" and served(there).status_code == 200
    assert Partner(tmp_path, second).takes(issue(cast, "ada@later.test"))


def test_a_key_that_is_here_gets_its_certificate_and_one_that_was_brought_in_does_not(
    cast: Any, there: Authority, tmp_path: Path
) -> None:
    row = own_acts.generate_key(
        cast.clinic, ADA, method=Method.SMIME, actor=cast.ada, reason="r", algorithm="ec-p256", waiting=True
    )
    done = authorities.certify_key(cast.clinic, row.pk, actor=cast.ada, reason="ours")
    assert done.state == "active" and Partner(tmp_path, there).takes(done)
    assert own_acts.opened(done).chain == (bytes(there.der),), "what it signs carries its issuer"
    p12 = identity.export_pkcs12(signer(done), "a long enough passphrase")
    domains.add_domain(cast.harbour, "harbour.test", actor=cast.hal)
    brought = identity.self_signed(identity.generate("ec-p256"), OFFICE, clock.now() - DAY_US)
    p12 = identity.export_pkcs12(brought, "a long enough passphrase")
    taken = own_acts.import_key(cast.clinic, p12, "a long enough passphrase", actor=cast.ada, reason="r")
    with pytest.raises(Refused) as refused:
        authorities.certify_key(cast.clinic, uuid.UUID(taken.id), actor=cast.ada, reason="ours")
    assert refused.value.code == "no-request"


def test_lists_are_signed_before_the_old_ones_end_and_until_the_authority_ends(
    cast: Any, at: list[int], told: Any
) -> None:
    domains.add_domain(cast.clinic, "clinic.test", actor=cast.ada)
    row = make(cast, days=20)
    first = AuthorityList.objects.get(pk=row.pk)
    assert authorities.sign_lists(at[0]) == 0
    at[0] += 4 * DAY_US
    told()
    assert authorities.sign_lists(at[0]) == 1 and authorities.sign_lists(at[0]) == 0
    (event,) = told()
    assert (event.event.kind, event.event.actor.id) == ("keyring.list-signed", "journal")
    second = AuthorityList.objects.get(pk=row.pk)
    assert (second.number, second.until > first.until) == (2, True)
    crl = x509.load_der_x509_crl(served(row).content)
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2
    assert crl.next_update_utc is not None and crl.next_update_utc.timestamp() * 1e6 > at[0] + 6 * DAY_US
    # one that issues nothing more goes on answering for what it signed
    authorities.end_authority(cast.clinic, row.pk, actor=cast.ada, reason="another")
    at[0] += 4 * DAY_US
    assert authorities.sign_lists(at[0]) == 1
    at[0] += 13 * DAY_US
    assert authorities.sign_lists(at[0]) == 0, "it has ended"


def test_a_certificate_is_followed_by_a_new_one_in_good_time(
    cast: Any, there: Authority, at: list[int], tmp_path: Path
) -> None:
    row = issue(cast, days=100, always=True)
    at[0] += 50 * DAY_US
    assert authorities.renew(at[0]) == 0
    at[0] += 10 * DAY_US
    assert authorities.renew(at[0]) == 1 and authorities.renew(at[0]) == 0
    row.refresh_from_db()
    fresh = OwnKey.objects.get(org_id=cast.clinic, state="active")
    assert (row.state, row.decrypts, row.always) == ("retired", True, False)
    assert fresh.token == row.token and fresh.always and fresh.not_after > row.not_after
    assert leaf(fresh).public_key() != leaf(row).public_key()
    assert Issued.objects.filter(org_id=cast.clinic, revoked_at=0).count() == 2, "both hold: partners have time"
    # one that was taken back has no successor
    gone = issue(cast, OFFICE, days=100)
    own_acts.revoke_key(cast.clinic, gone.pk, actor=cast.ada, reason="r")
    at[0] += 60 * DAY_US
    assert authorities.renew(at[0]) == 0


def test_who_may_and_that_a_second_factor_was_shown(cast: Any, there: Authority, told: Any) -> None:
    program = Actor("key", str(uuid.uuid4()))
    told()
    for actor in (cast.olga, cast.hal, cast.stan, program):
        for refused in (
            lambda actor=actor: authorities.make_authority(
                cast.clinic, actor=actor, reason="r", confirmed_at=clock.now()
            ),
            lambda actor=actor: authorities.generate_key(cast.clinic, ADA, actor=actor, reason="r"),
            lambda actor=actor: authorities.authorities(cast.clinic, actor),
            lambda actor=actor: authorities.end_authority(cast.clinic, there.pk, actor=actor, reason="r"),
            lambda actor=actor: authorities.certificate(cast.clinic, actor, there.pk),
        ):
            with pytest.raises(Forbidden):
                refused()
    with pytest.raises(Refused) as late:
        authorities.make_authority(cast.clinic, actor=cast.ada, reason="r", confirmed_at=clock.now() - 301_000_000)
    assert late.value.code == "factor-not-fresh" and told() == []
    # another organisation's administrator, in their own organisation, finds nothing of it
    for act in (authorities.end_authority, authorities.certify_key):
        with pytest.raises(NotFound if act is authorities.end_authority else (NotFound, Refused)):
            act(cast.harbour, there.pk, actor=cast.hal, reason="r")
    assert authorities.authorities(cast.harbour, cast.hal) == ()
    assert served(there, host="portal.test").status_code == 200
    elsewhere = there.where.replace(str(cast.clinic), str(cast.harbour)).removeprefix(HOST)
    with override_settings(MIDDLEWARE=outside.MIDDLEWARE, ROOT_URLCONF=outside.ROOT_URLCONF):
        for path in (f"{elsewhere}.crl", "/ca/", f"{there.where.removeprefix(HOST)}.pem", "/ca/x/y.crl"):
            assert Client().get(path).status_code == 404
        assert Client().post(f"{there.where.removeprefix(HOST)}.crl").status_code == 405


def test_its_private_key_follows_the_master_key_and_no_list_shows_it(cast: Any, there: Authority) -> None:
    held = settings.CAREPOST_KEYS
    (shown,) = authorities.authorities(cast.clinic, cast.ada)
    assert (shown.state, shown.domains, shown.list_number) == ("active", ("clinic.test",), 1)
    assert authorities.certificate(cast.clinic, COMMAND_LINE, there.pk).data == issuing.own(there).pem()
    after = rotated(held)
    walk = rewrapping.Walk(after)
    while walk.step() is not None:
        pass
    row = Authority.objects.get(pk=there.pk)
    assert version_of(bytes(row.wrapped)) == after.current
    aad = issuing.own_key_aad(row.org_id.bytes, row.pk.bytes)
    assert only_newest(after).unwrap("mail", bytes(row.wrapped), aad)
    with pytest.raises(WrongKey):
        after.unwrap("mail", bytes(row.wrapped), issuing.own_key_aad(cast.harbour.bytes, row.pk.bytes))
