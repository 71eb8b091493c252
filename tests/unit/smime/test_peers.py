"""openssl, gpgsm and NSS read what we write, and we read what they write (issue: S/MIME; HS-38). gpgsm 2.2
and NSS 3.87 know neither AuthEnvelopedData nor EC recipients: they are asked for EnvelopedData with RSA."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from carepost.crypto.smime import envelope, message, opening, reader, signing, verifying
from carepost.crypto.smime.envelope import Recipient
from carepost.crypto.smime.signing import Signer
from carepost.ground import clock
from carepost.rfc import mime
from tests.support.smime import ADDRESS, DAY, MESSAGE, NOW, Authority, Files, Gpgsm, Nss, gpgsm, openssl

pytestmark = pytest.mark.peers

KINDS = ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384")
CONTENT = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + b"The canary is well \xc3\xa9.\r\n" * 3000
CA = Authority()
AT = ("-attime", str(NOW // 1_000_000))


def decrypted(files: Files, raw: bytes, form: str = "DER") -> bytes:
    path = files.folder / "message"
    path.write_bytes(raw)
    return openssl(
        "cms", "-decrypt", "-binary", "-inform", form, "-in", path, "-recip", files.certificate, "-inkey", files.key
    )


@pytest.mark.parametrize("gcm", [False, True], ids=["cbc", "gcm"])
@pytest.mark.parametrize("kind", KINDS)
def test_openssl_reads_what_we_encrypt(tmp_path: Path, kind: str, gcm: bool) -> None:
    one = CA.issue(kind)
    files = Files(tmp_path, one)
    assert decrypted(files, envelope.encrypt(CONTENT, [Recipient(one.certificate)], gcm=gcm)) == CONTENT
    whole = decrypted(files, message.encrypt(MESSAGE, [Recipient(one.certificate)], NOW, gcm=gcm), "SMIME")
    assert b"Subject: Canary results\r\n" in whole and whole.endswith(b"The canary is well.\r\n")


def test_openssl_reads_oaep_and_several_recipients(tmp_path: Path) -> None:
    ones = [CA.issue(kind) for kind in KINDS]
    raw = envelope.encrypt(CONTENT, [Recipient(one.certificate, padded=True) for one in ones], gcm=True)
    for one in ones:
        assert decrypted(Files(tmp_path, one), raw) == CONTENT


@pytest.mark.parametrize(
    "how",
    [
        ("-aes256",), ("-aes128",), ("-aes-192-cbc",), ("-aes256", "-keyid"), ("-aes256", "-stream"),
        ("-aes-256-gcm",), ("-aes-128-gcm", "-keyid", "-stream"), ("-aes-192-gcm",),
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256", "ec-p384"])
def test_we_read_what_openssl_encrypts(tmp_path: Path, kind: str, how: tuple[str, ...]) -> None:
    one = CA.issue(kind)
    files = Files(tmp_path, one)
    raw = openssl("cms", "-encrypt", "-binary", "-outform", "DER", *how, "-recip", files.certificate, data=CONTENT)
    found = reader.decrypt(raw, [one])
    assert found.content == CONTENT and found.cipher == ("gcm" if "gcm" in how[0] else "cbc")


@pytest.mark.parametrize("option", ["rsa_oaep_md:sha256", "rsa_oaep_md:sha1", "rsa_oaep_label:616263"])
def test_we_read_openssls_oaep(tmp_path: Path, option: str) -> None:
    one = CA.issue("rsa-2048")
    files = Files(tmp_path, one)
    how = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", option)
    raw = openssl(
        "cms", "-encrypt", "-binary", "-outform", "DER", "-aes256", "-recip", files.certificate, *how, data=CONTENT
    )
    assert reader.decrypt(raw, [one]).content == CONTENT


@pytest.mark.parametrize("kdf", ["sha256", "sha384", "sha512", "sha1"])
def test_we_read_openssls_key_derivations(tmp_path: Path, kdf: str) -> None:
    one = CA.issue("ec-p384")
    files = Files(tmp_path, one)
    how = ("-keyopt", f"ecdh_kdf_md:{kdf}")
    raw = openssl(
        "cms", "-encrypt", "-binary", "-outform", "DER", "-aes256", "-recip", files.certificate, *how, data=CONTENT
    )
    assert reader.decrypt(raw, [one]).content == CONTENT


@pytest.mark.parametrize("kind", KINDS)
def test_openssl_verifies_what_we_sign(tmp_path: Path, kind: str) -> None:
    one = CA.issue(kind)
    files = Files(tmp_path, one, CA)
    path = tmp_path / "message"
    for opaque in (False, True):
        path.write_bytes(message.sign(MESSAGE, Signer(one), NOW, opaque=opaque))
        said = openssl("cms", "-verify", "-in", path, "-CAfile", files.ca, *AT)
        assert said.endswith(b"The canary is well.\r\n")


def test_openssl_reads_signed_then_encrypted(tmp_path: Path) -> None:
    nurse, pat = CA.issue("ec-p256"), CA.issue("rsa-2048", "pat@home.test")
    files = Files(tmp_path, pat, CA)
    inner = decrypted(files, message.encrypt(MESSAGE, [Recipient(pat.certificate)], NOW, signer=Signer(nurse)), "SMIME")
    (tmp_path / "inner").write_bytes(inner)
    assert openssl("cms", "-verify", "-in", tmp_path / "inner", "-CAfile", files.ca, *AT).endswith(b"is well.\r\n")


def test_openssl_reads_our_capabilities(tmp_path: Path) -> None:
    """It would encrypt its answer to us by them."""
    path = tmp_path / "signed"
    path.write_bytes(signing.Signer(CA.issue("ec-p256")).sign(CONTENT, NOW))
    said = openssl("cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", path)
    assert b"aes-256-gcm" in said.lower() and b"signingCertificateV2" in said


@pytest.mark.parametrize("how", [(), ("-nodetach",), ("-nodetach", "-stream"), ("-keyid",), ("-md", "sha512")], ids=str)
@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256", "ec-p384"])
def test_we_verify_what_openssl_signs(tmp_path: Path, kind: str, how: tuple[str, ...]) -> None:
    # it signs by its own clock, so these hold now
    now = clock.now()
    authority = Authority("CA of Now", start=now - 9 * DAY, end=now + 9 * DAY)
    one = authority.issue(kind, start=now - DAY, end=now + DAY)
    files = Files(tmp_path, one)
    text = CONTENT.replace("é".encode(), b"e")
    made = openssl("cms", "-sign", "-signer", files.certificate, "-inkey", files.key, *how, data=text)
    whole = b"From: Nurse <nurse@clinic.test>\r\n" + made.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    found = opening.open_(whole, [], authority.trust(authority.crl(start=now - DAY, end=now + DAY)), now)
    assert found.verdict.valid, found.verdict.reasons
    assert mime.read(found.message).text.startswith("The canary is well e.")


def test_we_verify_openssls_pss(tmp_path: Path) -> None:
    files = Files(tmp_path, CA.issue("rsa-2048"))
    how = ("-keyopt", "rsa_padding_mode:pss", "-md", "sha256")
    raw = openssl(
        "cms",
        "-sign",
        "-binary",
        "-outform",
        "DER",
        "-signer",
        files.certificate,
        "-inkey",
        files.key,
        *how,
        data=CONTENT,
    )
    assert verifying.check(verifying.read(raw), CONTENT)[0].faults == ()


@pytest.mark.parametrize("weak", ["sha1", "md5"])
def test_a_weak_digest_of_openssl_is_never_valid(tmp_path: Path, weak: str) -> None:
    files = Files(tmp_path, CA.issue("rsa-2048"))
    raw = openssl(
        "cms", "-sign", "-binary", "-outform", "DER", "-md", weak, "-signer", files.certificate, "-inkey", files.key,
        data=CONTENT,
    )  # fmt: skip
    assert "weak-digest" in verifying.check(verifying.read(raw), CONTENT)[0].faults


def test_openssl_without_attributes_is_never_valid(tmp_path: Path) -> None:
    files = Files(tmp_path, CA.issue("rsa-2048"))
    raw = openssl(
        "cms", "-sign", "-binary", "-noattr", "-outform", "DER", "-signer", files.certificate, "-inkey", files.key,
        data=CONTENT,
    )  # fmt: skip
    assert verifying.check(verifying.read(raw), CONTENT)[0].faults == ("no-signed-attributes",)


NURSE = CA.issue("rsa-3072")
FINGERPRINT = NURSE.certificate.x509.fingerprint(hashes.SHA1()).hex()


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gpgsm]:
    with gpgsm(tmp_path_factory.mktemp("gpgsm") / "home") as found:
        found.adopt(NURSE, CA)
        yield found


def test_gpgsm_reads_our_enveloped_data(peer: Gpgsm) -> None:
    strangers = [Recipient(CA.issue("ec-p256", "pat@home.test").certificate)]
    for more in ([], strangers):
        raw = envelope.encrypt(CONTENT, [Recipient(NURSE.certificate), *more], gcm=False)
        assert peer.run("--decrypt", data=raw) == CONTENT


def test_gpgsm_cannot_read_gcm_which_is_why_cbc_is_the_default(peer: Gpgsm) -> None:
    peer.run("--decrypt", data=envelope.encrypt(CONTENT, [Recipient(NURSE.certificate)], gcm=True), fails=True)
    assert peer.run("--decrypt", data=envelope.encrypt(CONTENT, [Recipient(NURSE.certificate)])) == CONTENT


@pytest.mark.parametrize("cipher", ["AES128", "AES192", "AES256"])
def test_we_read_what_gpgsm_encrypts(peer: Gpgsm, cipher: str) -> None:
    raw = peer.run("--encrypt", "--cipher-algo", cipher, "--recipient", FINGERPRINT, data=CONTENT)
    assert reader.decrypt(raw, [NURSE]).content == CONTENT


@pytest.mark.parametrize("kind", KINDS)
def test_gpgsm_verifies_what_we_sign(peer: Gpgsm, kind: str) -> None:
    one = NURSE if kind == "rsa-3072" else CA.issue(kind)
    peer.run("--verify", data=Signer(one).sign(CONTENT, NOW, detached=False))
    assert "GOODSIG" in peer.status and "TRUST_FULLY" in peer.status


def test_we_verify_what_gpgsm_signs(peer: Gpgsm) -> None:
    for how, content in (("--detach-sign", None), ("--sign", CONTENT)):
        found = verifying.read(peer.run(how, "--local-user", FINGERPRINT, data=CONTENT))
        assert found.content == content
        assert verifying.check(found, CONTENT)[0].faults == ()


@pytest.mark.parametrize("kind", ["rsa-2048", "rsa-4096"])
def test_nss_reads_and_writes(tmp_path: Path, kind: str) -> None:
    """Thunderbird's library, as Debian 12 has it: no GCM, and no EC recipients, openssl's neither."""
    now = clock.now()
    authority = Authority("CA of Now", start=now - 9 * DAY, end=now + 9 * DAY)
    one = authority.issue(kind, start=now - DAY, end=now + DAY)
    peer = Nss(tmp_path / "nss", one, authority)
    assert peer.cms("-D", data=envelope.encrypt(CONTENT, [Recipient(one.certificate)], gcm=False)) == CONTENT
    peer.cms("-D", data=envelope.encrypt(CONTENT, [Recipient(one.certificate)], gcm=True), fails=True)
    assert reader.decrypt(peer.cms("-E", "-r", ADDRESS, data=CONTENT), [one]).content == CONTENT
    found = verifying.read(peer.cms("-S", "-N", "nurse", "-G", data=CONTENT))
    assert verifying.check(found, CONTENT)[0].faults == () and found.content == CONTENT


@pytest.mark.parametrize("kind", KINDS)
def test_nss_verifies_what_we_sign(tmp_path: Path, kind: str) -> None:
    now = clock.now()
    authority = Authority("CA of Now", start=now - 9 * DAY, end=now + 9 * DAY)
    one = authority.issue(kind, start=now - DAY, end=now + DAY)
    said = Nss(tmp_path / "nss", one, authority).cms(
        "-D", "-h", "1", data=Signer(one).sign(CONTENT, now, detached=False)
    )
    assert b"GoodSignature" in said


def test_cryptographys_own_reader_and_writers() -> None:
    """A third implementation, for RSA and CBC."""
    one = CA.issue("rsa-2048")
    raw = envelope.encrypt(CONTENT, [Recipient(one.certificate)], gcm=False)
    assert isinstance(one.key, rsa.RSAPrivateKey)
    assert pkcs7.pkcs7_decrypt_der(raw, one.certificate.x509, one.key, []) == CONTENT
    built = pkcs7.PKCS7EnvelopeBuilder().set_data(CONTENT).add_recipient(one.certificate.x509)
    der = built.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
    assert reader.decrypt(der, [one]).content == CONTENT
    signed = pkcs7.PKCS7SignatureBuilder().set_data(CONTENT).add_signer(one.certificate.x509, one.key, hashes.SHA384())
    for how in ([pkcs7.PKCS7Options.Binary], [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.DetachedSignature]):
        found = verifying.read(signed.sign(serialization.Encoding.DER, how))
        assert verifying.check(found, CONTENT)[0].faults == ()
