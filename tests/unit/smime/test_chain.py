"""The way to an anchor, and revocation by lists and by OCSP: good, revoked and unknown are three answers (BI-071)."""

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from carepost.crypto.smime import chain, usable
from carepost.crypto.smime.chain import Evidence, TrustStore
from carepost.crypto.smime.errors import BadCertificate
from carepost.crypto.smime.identity import Identity, self_signed
from tests.support.smime import ADDRESS, DAY, NOW, Authority, key

pytestmark = pytest.mark.fast

CA = Authority()
STORE = TrustStore([CA.der])
ONE = CA.issue()


def judged(
    one: Identity, *between: bytes, store: TrustStore = STORE, at: int = NOW, **evidence: tuple[bytes, ...]
) -> chain.Chain:
    return chain.judge(one.certificate, between, store, at, Evidence(**evidence))


def test_a_chain_by_an_intermediate_needs_it() -> None:
    between = Authority("Between", CA)
    leaf = between.issue()
    assert judged(leaf, between.der).path == (leaf.certificate.der, between.der, CA.der)
    assert judged(leaf).fault == "unknown-issuer"


def test_an_intermediate_may_not_be_a_leaf() -> None:
    leaf = CA.issue(address="a@clinic.test")
    forger = Authority("Forger", CA, ca=False)
    assert judged(forger.issue(), forger.der, leaf.certificate.der).fault == "unknown-issuer"


def test_an_intermediate_without_key_cert_sign() -> None:
    between = Authority("No Signer", CA, usage=("crl_sign",))
    assert judged(between.issue(), between.der).fault == "unknown-issuer"


def test_path_length_and_depth() -> None:
    short = Authority("Short", CA, length=0)
    further = Authority("Further", short)
    assert judged(short.issue(), short.der).fault == ""
    assert judged(further.issue(), further.der, short.der).fault == "unknown-issuer"


def test_name_constraints_on_addresses_hold() -> None:
    limited = Authority("Limited", CA, permitted="clinic.test")
    assert judged(limited.issue(), limited.der).fault == ""
    assert judged(limited.issue(address="nurse@other.test"), limited.der).fault == "unknown-issuer"


def test_an_expired_intermediate_is_told_from_a_stranger() -> None:
    between = Authority("Old", CA, end=NOW - DAY)
    assert judged(between.issue(), between.der).fault == "chain-expired"


def test_self_signed_counts_where_it_is_an_anchor() -> None:
    one = self_signed(key("ec-p256"), ADDRESS, NOW - DAY)
    assert judged(one).fault == "self-signed"
    own = judged(one, store=TrustStore([one.certificate.der]))
    assert (own.fault, own.revocation) == ("", "good")


def test_an_authority_of_the_same_name_with_another_key() -> None:
    assert judged(Authority("Invented Mail CA").issue()).fault == "unknown-issuer"


def test_no_anchor_at_all() -> None:
    assert judged(ONE, store=TrustStore()).fault == "unknown-issuer"
    with pytest.raises(BadCertificate):
        TrustStore([b"no certificate"])


def test_damaged_intermediates_spoil_nothing() -> None:
    assert judged(ONE, b"", b"\x30\x80", bytes(70_000)).fault == ""


def test_only_so_many_intermediates_are_looked_at() -> None:
    between = Authority("Between", CA)
    noise = [Authority(f"Noise {i}", CA).der for i in range(chain.MAX_INTERMEDIATES)]
    assert judged(between.issue(), *noise, between.der).fault == "unknown-issuer"


# revocation

OTHER = CA.issue("ec-p384")
POINT = x509.UniformResourceIdentifier("http://ca.test/part.crl")


def test_without_an_answer_it_is_unknown_and_not_usable() -> None:
    assert judged(ONE).revocation == "unknown"
    asked = usable.Trust(STORE)
    assert usable.for_encryption(ONE.certificate, ADDRESS, NOW, asked).reasons == ("revocation-unknown",)
    lenient = usable.Trust(STORE, unknown_ok=True)
    assert usable.for_encryption(ONE.certificate, ADDRESS, NOW, lenient) == usable.Usability((), "unknown")


def test_a_list_says_good_or_revoked() -> None:
    assert judged(ONE, crls=(CA.crl(OTHER),)).revocation == "good"
    assert judged(ONE, crls=(CA.crl(ONE, OTHER),)).revocation == "revoked"
    revoked = usable.Trust(STORE, Evidence((CA.crl(ONE),)), unknown_ok=True)
    assert usable.for_encryption(ONE.certificate, ADDRESS, NOW, revoked).reasons == ("revoked",)


def test_an_old_list_proves_revocation_but_nothing_good() -> None:
    assert judged(ONE, crls=(CA.crl(start=NOW - 9 * DAY, end=NOW - DAY),)).revocation == "unknown"
    assert judged(ONE, crls=(CA.crl(ONE, start=NOW - 9 * DAY, end=NOW - DAY),)).revocation == "revoked"


def test_a_list_from_the_future_is_no_answer() -> None:
    assert judged(ONE, crls=(CA.crl(start=NOW + DAY, end=NOW + 9 * DAY),)).revocation == "unknown"


def test_a_list_somebody_else_signed_is_no_answer() -> None:
    stranger = key("ec-p256", 77)
    assert judged(ONE, crls=(CA.crl(ONE, key=stranger),)).revocation == "unknown"
    assert judged(ONE, crls=(Authority("Another CA").crl(),)).revocation == "unknown"


def test_every_certificate_of_the_way_is_asked_about() -> None:
    between = Authority("Between", CA)
    leaf = between.issue()
    assert judged(leaf, between.der, crls=(between.crl(),)).revocation == "unknown"
    assert judged(leaf, between.der, crls=(between.crl(), CA.crl())).revocation == "good"
    gone = Identity(usable.chain.parse(between.der), between.key)
    assert judged(leaf, between.der, crls=(between.crl(), CA.crl(gone))).revocation == "revoked"


def _distribution(**more: bool) -> x509.IssuingDistributionPoint:
    values = {
        "only_contains_user_certs": False, "only_contains_ca_certs": False, "indirect_crl": False,
        "only_contains_attribute_certs": False, **more,
    }  # fmt: skip
    name = None if any(values.values()) else [POINT]
    return x509.IssuingDistributionPoint(full_name=name, relative_name=None, only_some_reasons=None, **values)


@pytest.mark.parametrize(
    ("extension", "said"),
    [
        (_distribution(only_contains_user_certs=True), "good"),
        (_distribution(only_contains_ca_certs=True), "unknown"),
        (_distribution(indirect_crl=True), "unknown"),
        (_distribution(), "unknown"),
        (x509.DeltaCRLIndicator(1), "unknown"),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), "unknown"),
    ],
)
def test_a_list_of_a_part_speaks_for_that_part(extension: x509.ExtensionType, said: str) -> None:
    assert judged(ONE, crls=(CA.crl(extensions=(extension,)),)).revocation == said


def test_the_part_a_certificate_names_speaks_for_it() -> None:
    one = CA.issue(crl_urls=(POINT.value,))
    assert judged(one, crls=(CA.crl(extensions=(_distribution(),)),)).revocation == "good"


def test_ocsp_says_good_or_revoked() -> None:
    assert judged(ONE, ocsp=(CA.ocsp(ONE),)).revocation == "good"
    assert judged(ONE, ocsp=(CA.ocsp(ONE, ocsp.OCSPCertStatus.REVOKED),)).revocation == "revoked"
    assert judged(ONE, ocsp=(CA.ocsp(ONE, ocsp.OCSPCertStatus.UNKNOWN),)).revocation == "unknown"
    assert judged(ONE, ocsp=(CA.ocsp(OTHER),)).revocation == "unknown"


def test_ocsp_answers_grow_old() -> None:
    assert judged(ONE, ocsp=(CA.ocsp(ONE, start=NOW - 9 * DAY, end=NOW - DAY),)).revocation == "unknown"


def test_ocsp_by_a_delegate_needs_its_purpose_and_its_issuer() -> None:
    delegate = CA.issue(address="", purpose=ExtendedKeyUsageOID.OCSP_SIGNING, number=5)
    assert judged(ONE, ocsp=(CA.ocsp(ONE, by=delegate),)).revocation == "good"
    assert judged(ONE, ocsp=(CA.ocsp(ONE, by=CA.issue(number=5)),)).revocation == "unknown"
    foreign = Authority("Another CA").issue(address="", purpose=ExtendedKeyUsageOID.OCSP_SIGNING, number=6)
    assert judged(ONE, ocsp=(CA.ocsp(ONE, by=foreign),)).revocation == "unknown"
    late = CA.issue(address="", purpose=ExtendedKeyUsageOID.OCSP_SIGNING, number=5, start=NOW - 9 * DAY, end=NOW - DAY)
    assert judged(ONE, ocsp=(CA.ocsp(ONE, by=late),)).revocation == "unknown"


def test_revoked_in_one_place_outweighs_good_in_another() -> None:
    assert judged(ONE, crls=(CA.crl(ONE),), ocsp=(CA.ocsp(ONE),)).revocation == "revoked"


def test_noise_is_no_answer() -> None:
    assert judged(ONE, crls=(b"", b"\x30\x80", bytes(1000)), ocsp=(b"", CA.crl())).revocation == "unknown"
