"""Keys with their certificates: an organisation's or a person's own. Made, requested, imported, exported.

A private key stands in no repr and no error. Whoever keeps one keeps it wrapped (`crypto.wrap`)."""

import datetime
import warnings
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from carepost.crypto.smime import der, oids
from carepost.crypto.smime.certificate import Certificate, normal, parse
from carepost.crypto.smime.errors import UNREADABLE, BadCertificate, Malformed
from carepost.rfc.errors import AddressError
from carepost.rfc.path import parse_path

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey
#: the kinds of key `generate` makes
KINDS = ("rsa-2048", "rsa-3072", "rsa-4096", "ec-p256", "ec-p384")
#: octets of a PKCS#12 file, and rounds of all its key derivations together that are waited for (a second or two)
MAX_PKCS12, MAX_ROUNDS = 256 * 1024, 5_000_000
#: days a certificate of our own making holds; the Baseline Requirements for S/MIME allow 825
DAYS = 730

_CAPABILITIES = x509.ObjectIdentifier("1.2.840.113549.1.9.15")


class Identity(msgspec.Struct, frozen=True, eq=False):
    """`chain`: the issuers' certificates to send along, DER, nearest first.

    A key that is kept elsewhere (PKCS#11, a key service) is a subclass of the library's abstract RSA or EC key: asked
    of it are `public_key`, `key_size`, `curve`, and `sign`, `decrypt` or `exchange`, nothing else."""

    certificate: Certificate
    key: PrivateKey
    chain: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"Identity({self.certificate.fingerprint[:16]})"


def own_capabilities() -> bytes:
    """SMIMECapabilities (RFC 8551 2.5.2): what `reader` reads, best first."""
    return der.sequence(
        *(
            der.sequence(der.tlv(der.OID, oid))
            for oid in (oids.AES256_GCM, oids.AES128_GCM, oids.AES256_CBC, oids.AES128_CBC)
        )
    )


def generate(kind: str) -> PrivateKey:
    """A new private key of one of KINDS. Raises BadCertificate for another."""
    if kind not in KINDS:
        raise BadCertificate("key-kind", f"There is no key of this kind; choose one of {', '.join(KINDS)}.")
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[4:]))
    return ec.generate_private_key(ec.SECP256R1() if kind == "ec-p256" else ec.SECP384R1())


def request(key: PrivateKey, address: str, name: str = "") -> bytes:
    """A certificate request (PKCS#10, PEM) for `address`, to be signed by an authority of the organisation's choice."""
    if isinstance(key, x25519.X25519PrivateKey):
        raise BadCertificate("key-kind", "This kind of key cannot sign its own certificate request.")
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject(address, name))
    for extension, critical in extensions(key, address):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, digest(key)).public_bytes(serialization.Encoding.PEM)


def self_signed(key: PrivateKey, address: str, at: int, *, name: str = "", days: int = DAYS) -> Identity:
    """A certificate nobody else vouches for; partners pin it. `at`: UTC microseconds, when it begins to hold."""
    if isinstance(key, x25519.X25519PrivateKey):
        raise BadCertificate("key-kind", "This kind of key cannot sign its own certificate.")
    start = datetime.datetime.fromtimestamp(at // 1_000_000, datetime.UTC)
    whose = subject(address, name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    for extension, critical in extensions(key, address):
        builder = builder.add_extension(extension, critical=critical)
    made = builder.sign(key, digest(key)).public_bytes(serialization.Encoding.DER)
    return Identity(parse(made), key)


def subject(address: str, name: str) -> x509.Name:
    shown = name.strip()[:64] or address[:64]
    if not shown.isprintable():
        raise BadCertificate("name", "The name for the certificate contains a control character.")
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shown)])


def extensions(key: object, address: str) -> list[tuple[x509.ExtensionType, bool]]:
    """What a certificate for mail says of its use and owner. `key`: private or public."""
    try:
        address = parse_path(address)
    except AddressError:
        raise BadCertificate(
            "address", "The address for the certificate is not well formed, or not in ASCII."
        ) from None
    agrees = not isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=not agrees, data_encipherment=False,
        key_agreement=agrees, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return [
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False),
        (x509.SubjectAlternativeName([x509.RFC822Name(address)]), False),
        (x509.UnrecognizedExtension(_CAPABILITIES, own_capabilities()), False),
    ]


def digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    large = isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256
    return hashes.SHA384() if large else hashes.SHA256()


def private_bytes(key: PrivateKey) -> bytes:
    """PKCS#8, DER, in clear: to be wrapped at once."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load(private: bytes, certificate: bytes, chain: Sequence[bytes] = ()) -> Identity:
    """What `private_bytes` gave, with its certificate (DER or PEM). Raises BadCertificate where they do not belong
    together."""
    try:
        key = serialization.load_der_private_key(private, None)
    except UNREADABLE:
        raise BadCertificate("key", "The private key cannot be read.") from None
    return _identity(key, parse(certificate), chain)


def _identity(key: object, certificate: Certificate, chain: Sequence[bytes]) -> Identity:
    if not isinstance(key, PrivateKey):
        raise BadCertificate("key-kind", "Only RSA, EC and X25519 keys can be used for S/MIME.")
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    try:
        theirs = certificate.x509.public_key().public_bytes(*form)
    except UNREADABLE:
        theirs = b""
    if key.public_key().public_bytes(*form) != theirs:
        raise BadCertificate("key-mismatch", "The private key belongs to another certificate.")
    if certificate.key.startswith("rsa-pss"):
        # nobody could encrypt to it, and our signatures are of the other kind
        raise BadCertificate("key-kind", "An RSA key for PSS alone cannot be used: make or order a plain RSA one.")
    weak = {"weak-key", "unsupported-key"} & set(certificate.faults)
    if weak:
        raise BadCertificate(
            weak.pop(), "The key is too short or of a kind that is not accepted: RSA from 2048 bits on."
        )
    return Identity(certificate, key, tuple(chain))


def import_pkcs12(raw: bytes, password: str) -> Identity:
    """The key and certificates of a PKCS#12 file (.p12, .pfx). Raises BadCertificate: pkcs12 (damaged, or a wrong
    password, which look alike), pkcs12-slow, key-mismatch, weak-key, key-kind."""
    if len(raw) > MAX_PKCS12:
        raise BadCertificate("pkcs12-size", "The PKCS#12 file is larger than 256 KiB.")
    _patient(raw)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pkcs12.load_pkcs12(raw, password.encode("utf-8") or None)
    except UNREADABLE:
        raise BadCertificate(
            "pkcs12", "The PKCS#12 file cannot be opened: it is damaged, or the password is wrong."
        ) from None
    if found.key is None or found.cert is None:
        raise BadCertificate("pkcs12-empty", "The PKCS#12 file holds no private key with its certificate.")
    chain = [c.certificate.public_bytes(serialization.Encoding.DER) for c in found.additional_certs[:20]]
    return _identity(found.key, parse(found.cert.certificate.public_bytes(serialization.Encoding.DER)), chain)


def export_pkcs12(identity: Identity, password: str, name: str = "") -> bytes:
    """A PKCS#12 file under AES-256 with PBKDF2. Raises BadCertificate for a password of under 12 characters."""
    if len(password) < 12:
        raise BadCertificate("pkcs12-password", "The password of a PKCS#12 file needs at least 12 characters.")
    if isinstance(identity.key, x25519.X25519PrivateKey):
        raise BadCertificate("key-kind", "This kind of key has no place in a PKCS#12 file.")
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(200_000)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(password.encode("utf-8"))
    )
    issuers = [x509.load_der_x509_certificate(one) for one in identity.chain]
    return pkcs12.serialize_key_and_certificates(
        name.encode("utf-8") or None, identity.key, identity.certificate.x509, issuers or None, encryption
    )


def _patient(raw: bytes) -> None:
    """Refuses a file that asks for more rounds of key derivation than anyone waits for, wherever it says so in clear:
    a number right after a salt (RFC 7292 4, 5)."""
    try:
        raw = der.definite(raw)
    except Malformed:
        raise BadCertificate("pkcs12", "The file is not a PKCS#12 file.") from None
    todo, seen, rounds = [der.Cursor(raw)], 0, 0
    while todo:
        cursor, before = todo.pop(), -1
        while cursor.more():
            seen += 1
            tag = cursor.peek()
            try:
                inside = cursor.enter(tag)
            except Malformed:
                # an octet string that holds no element after all
                break
            if tag == der.INTEGER and before == der.OCTETS:
                # each of its bags asks for its own, and there is room for thousands of them
                rounds += int.from_bytes(raw[inside.at : inside.end][:8], "big")
                if rounds > MAX_ROUNDS:
                    raise BadCertificate("pkcs12-slow", "The PKCS#12 file asks for too many rounds of key derivation.")
            if tag & 0x20 or (tag == der.OCTETS and inside.end - inside.at > 64):
                todo.append(inside)
            before = tag
            if seen > 100_000:
                raise BadCertificate("pkcs12", "The PKCS#12 file is too complex.")


def speaks_for(identity: Identity, address: str) -> bool:
    return normal(address) in identity.certificate.addresses
