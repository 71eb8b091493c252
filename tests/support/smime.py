"""S/MIME for tests: an invented authority, its certificates right and wrong, and the two real peers."""

import datetime
import functools
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from carepost.crypto.smime import certificate, identity
from carepost.crypto.smime.chain import Evidence, TrustStore
from carepost.crypto.smime.identity import Identity, PrivateKey
from carepost.crypto.smime.usable import Trust

#: 2026-11-21 12:00:00 UTC
NOW = 1_795_262_400_000_000
DAY = 86_400_000_000
ADDRESS = "nurse@clinic.test"
DER = serialization.Encoding.DER

MESSAGE = (
    b"From: Nurse Example <nurse@clinic.test>\r\nTo: Pat Example <pat@home.test>\r\n"
    b"Subject: Canary results\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@clinic.test>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe canary is well.\r\n"
)


@functools.cache
def key(kind: str, number: int = 0) -> PrivateKey:
    """One key of each kind for the whole run: an RSA key takes a second to make."""
    if kind == "rsa-1024":
        return rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return identity.generate(kind)


def moment(at: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at // 1_000_000, datetime.UTC)


def usage(*names: str) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in names for name in every})


class Authority:
    """A root, or with `parent` an intermediate one."""

    def __init__(self, name: str = "Invented Mail CA", parent: "Authority | None" = None, **more: Any) -> None:
        self.key = more.get("key") or identity.generate("ec-p256")
        self.parent = parent
        signer = parent or self
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(moment(more.get("start", NOW - 1000 * DAY)))
            .not_valid_after(moment(more.get("end", NOW + 1000 * DAY)))
            .add_extension(
                x509.BasicConstraints(ca=more.get("ca", True), path_length=more.get("length")), critical=True
            )
            .add_extension(usage(*more.get("usage", ("key_cert_sign", "crl_sign"))), critical=True)
        )
        if "permitted" in more:
            names = x509.NameConstraints([x509.RFC822Name(more["permitted"])], None)
            builder = builder.add_extension(names, critical=True)
        self.certificate = builder.sign(signer.key, hashes.SHA256())
        self.der = self.certificate.public_bytes(DER)

    def issue(self, kind: str = "ec-p256", address: str = ADDRESS, **more: Any) -> Identity:
        """A certificate for `address` as it should be, but for what `more` says."""
        own = more.get("key") or key(kind, more.get("number", 0))
        agrees = kind.startswith("ec")
        wanted = more.get("usage", ("digital_signature", "key_agreement" if agrees else "key_encipherment"))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, more.get("name", "Nurse Example"))]))
            .issuer_name(self.name)
            .public_key(own.public_key())
            .serial_number(more.get("serial") or x509.random_serial_number())
            .not_valid_before(moment(more.get("start", NOW - 10 * DAY)))
            .not_valid_after(moment(more.get("end", NOW + 300 * DAY)))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        )
        if more.get("ca"):
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        if wanted is not None:
            builder = builder.add_extension(usage(*wanted), critical=True)
        purpose = more.get("purpose", ExtendedKeyUsageOID.EMAIL_PROTECTION)
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if address:
            names = [x509.RFC822Name(one) for one in address.split(",")]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if more.get("gcm"):
            value = x509.UnrecognizedExtension(
                x509.ObjectIdentifier("1.2.840.113549.1.9.15"), identity.own_capabilities()
            )
            builder = builder.add_extension(value, critical=False)
        if more.get("unknown_critical"):
            odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
            builder = builder.add_extension(odd, critical=True)
        for url in more.get("crl_urls", ()):
            point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
        for url in more.get("ocsp_urls", ()):
            place = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))
            builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
        made = builder.sign(self.key, more.get("digest") or hashes.SHA256())
        chain = [self.der] if self.parent else []
        return Identity(certificate.parse(made.public_bytes(DER)), own, tuple(chain))

    def crl(self, *revoked: Identity, start: int = NOW - DAY, end: int = NOW + DAY, **more: Any) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(moment(start))
            .next_update(moment(end))
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.x509.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(moment(start)).build())
        for extension in more.get("extensions", ()):
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(more.get("key") or self.key, more.get("digest") or hashes.SHA256()).public_bytes(DER)

    def ocsp(self, one: Identity, status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD, **more: Any) -> bytes:
        start = more.get("start", NOW - DAY)
        revoked = status is ocsp.OCSPCertStatus.REVOKED
        builder = ocsp.OCSPResponseBuilder().add_response(
            cert=one.certificate.x509,
            issuer=more.get("issuer", self.certificate),
            algorithm=hashes.SHA256(),
            cert_status=status,
            this_update=moment(start),
            next_update=moment(more.get("end", NOW + DAY)),
            revocation_time=moment(start) if revoked else None,
            revocation_reason=None,
        )
        by: Identity | None = more.get("by")
        responder = by.certificate.x509 if by else self.certificate
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
        if by:
            builder = builder.certificates([responder])
        return builder.sign(by.key if by else more.get("key", self.key), hashes.SHA256()).public_bytes(DER)  # type: ignore[union-attr]

    def trust(self, *crls: bytes, unknown_ok: bool = False, answers: Sequence[bytes] = ()) -> Trust:
        """This one as the only anchor, with its own empty list unless others are given."""
        lists = crls or (self.crl(),)
        return Trust(TrustStore([self.der]), Evidence(lists, tuple(answers)), unknown_ok=unknown_ok)


def pem_key(one: Identity) -> bytes:
    return one.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Files:
    """An identity and an authority as files for the peers."""

    def __init__(self, folder: Path, one: Identity, authority: Authority | None = None) -> None:
        self.folder = folder
        self.certificate = folder / f"{one.certificate.fingerprint[:12]}.pem"
        self.key = self.certificate.with_suffix(".key")
        self.certificate.write_bytes(one.certificate.pem())
        self.key.write_bytes(pem_key(one))
        self.ca = folder / "ca.pem"
        if authority is not None:
            self.ca.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))


def openssl(*arguments: str | Path, data: bytes = b"") -> bytes:
    """What it writes. Raises AssertionError with what it complains of."""
    done = subprocess.run(
        ["openssl", *map(str, arguments)], input=data, capture_output=True, timeout=60, env={"PATH": os.environ["PATH"]}
    )
    assert done.returncode == 0, done.stderr.decode()[-800:]
    return done.stdout


class Gpgsm:
    """A home of its own with one identity, and the authority trusted."""

    def __init__(self, home: Path, at: int) -> None:
        self.home = home
        home.mkdir(mode=0o700)
        time = f"faked-system-time {moment(at):%Y%m%dT%H%M%S}\n"
        (home / "gpgsm.conf").write_text(f"disable-crl-checks\ndisable-dirmngr\n{time}")
        (home / "gpg-agent.conf").write_text(f"allow-loopback-pinentry\n{time}")

    def run(self, *arguments: str | Path, data: bytes = b"", fails: bool = False) -> bytes:
        reading, writing = os.pipe()
        os.write(writing, b"secret\n")
        os.close(writing)
        command = [
            "gpgsm", "--homedir", str(self.home), "--batch", "--no-tty", "--status-fd", "2",
            "--pinentry-mode", "loopback", "--passphrase-fd", str(reading), *map(str, arguments),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, input=data, capture_output=True, timeout=60, pass_fds=(reading,))
        finally:
            os.close(reading)
        assert (done.returncode != 0) == fails, done.stderr.decode()[-1500:]
        self.status = done.stderr.decode(errors="replace")
        return done.stdout

    def adopt(self, one: Identity, authority: Authority) -> None:
        root = certificate.parse(authority.der)
        sha1 = root.x509.fingerprint(hashes.SHA1()).hex().upper()
        (self.home / "trustlist.txt").write_text(":".join(sha1[i : i + 2] for i in range(0, 40, 2)) + " S relax\n")
        self.run("--import", data=authority.certificate.public_bytes(serialization.Encoding.PEM))
        path = self.home / "import.p12"
        path.write_bytes(old_p12(one))
        self.run("--import", path)


def old_p12(one: Identity, *more: str) -> bytes:
    """In the old ciphers of PKCS#12, the only ones gpgsm 2.2 reads."""
    return openssl(
        "pkcs12", "-export", "-passout", "pass:secret", "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES",
        "-macalg", "sha1", *more, data=pem_key(one) + one.certificate.pem(),
    )  # fmt: skip


class Nss:
    """What Thunderbird reads mail with: a database with one identity, and the authority trusted."""

    def __init__(self, folder: Path, one: Identity, authority: Authority) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self._run("certutil", "-N", "--empty-password")
        (folder / "ca.pem").write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
        self._run("certutil", "-A", "-n", "ca", "-t", "CT,CT,CT", "-i", folder / "ca.pem")
        (folder / "one.p12").write_bytes(old_p12(one, "-name", "nurse"))
        self._run("pk12util", "-i", folder / "one.p12", "-W", "secret")

    def _run(self, command: str, *arguments: str | Path, fails: bool = False) -> bytes:
        where = ["-d", f"sql:{self.folder}"]
        done = subprocess.run([command, *where, *map(str, arguments)], capture_output=True, timeout=60)
        assert (done.returncode != 0) == fails, done.stderr.decode()[-800:]
        return done.stdout

    def cms(self, *arguments: str, data: bytes, fails: bool = False) -> bytes:
        path = self.folder / "message"
        path.write_bytes(data)
        return self._run("cmsutil", *arguments, "-i", path, fails=fails)


@contextmanager
def gpgsm(home: Path, at: int = NOW) -> Iterator[Gpgsm]:
    """Its agent ends with it. `at`: its time, in microseconds."""
    try:
        yield Gpgsm(home, at)
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], capture_output=True, timeout=30)
