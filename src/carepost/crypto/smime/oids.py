"""Object identifiers of CMS and S/MIME, as the content octets that stand in a message."""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from carepost.crypto.smime.der import oid

_PKCS = "1.2.840.113549.1."
_AES = "2.16.840.1.101.3.4.1."

DATA: Final = oid(_PKCS + "7.1")
SIGNED_DATA: Final = oid(_PKCS + "7.2")
ENVELOPED_DATA: Final = oid(_PKCS + "7.3")
AUTH_ENVELOPED_DATA: Final = oid(_PKCS + "9.16.1.23")

RSA: Final = oid(_PKCS + "1.1")
OAEP: Final = oid(_PKCS + "1.7")
MGF1: Final = oid(_PKCS + "1.8")
P_SPECIFIED: Final = oid(_PKCS + "1.9")
PSS: Final = oid(_PKCS + "1.10")
EC_KEY: Final = oid("1.2.840.10045.2.1")

CONTENT_TYPE: Final = oid(_PKCS + "9.3")
MESSAGE_DIGEST: Final = oid(_PKCS + "9.4")
SIGNING_TIME: Final = oid(_PKCS + "9.5")
CAPABILITIES: Final = oid(_PKCS + "9.15")
SIGNING_CERTIFICATE_V2: Final = oid(_PKCS + "9.16.2.47")
ENCRYPTION_KEY: Final = oid(_PKCS + "9.16.2.11")

SHA1: Final = oid("1.3.14.3.2.26")
SHA256: Final = oid("2.16.840.1.101.3.4.2.1")
SHA384: Final = oid("2.16.840.1.101.3.4.2.2")
SHA512: Final = oid("2.16.840.1.101.3.4.2.3")

#: digests a signature may rest on
DIGESTS: Final[dict[bytes, hashes.HashAlgorithm]] = {
    SHA256: hashes.SHA256(),
    SHA384: hashes.SHA384(),
    SHA512: hashes.SHA512(),
}
#: digests nothing rests on any more: MD2, MD4, MD5, SHA-1, and signatures made with them
WEAK_DIGESTS: Final = frozenset({SHA1, oid("1.2.840.113549.2.2"), oid("1.2.840.113549.2.4"), oid("1.2.840.113549.2.5")})
WEAK_SIGNATURES: Final = frozenset(
    {oid(_PKCS + "1.2"), oid(_PKCS + "1.3"), oid(_PKCS + "1.4"), oid(_PKCS + "1.5"), oid("1.2.840.10045.4.1")}
)
#: signature algorithms that name their digest
SIGNATURES: Final = {
    oid(_PKCS + "1.11"): SHA256,
    oid(_PKCS + "1.12"): SHA384,
    oid(_PKCS + "1.13"): SHA512,
    oid("1.2.840.10045.4.3.2"): SHA256,
    oid("1.2.840.10045.4.3.3"): SHA384,
    oid("1.2.840.10045.4.3.4"): SHA512,
}
ECDSA: Final = {SHA256: oid("1.2.840.10045.4.3.2"), SHA384: oid("1.2.840.10045.4.3.3")}
MICALG: Final = {SHA256: "sha-256", SHA384: "sha-384", SHA512: "sha-512"}

AES256_CBC: Final = oid(_AES + "42")
AES256_GCM: Final = oid(_AES + "46")
AES128_CBC: Final = oid(_AES + "2")
AES128_GCM: Final = oid(_AES + "6")
#: key bytes of the content ciphers that are read
CBC: Final = {AES128_CBC: 16, oid(_AES + "22"): 24, AES256_CBC: 32}
GCM: Final = {AES128_GCM: 16, oid(_AES + "26"): 24, AES256_GCM: 32}

AES256_WRAP: Final = oid(_AES + "45")
#: key bytes of the key wraps that are read (RFC 3394)
WRAPS: Final = {oid(_AES + "5"): 16, oid(_AES + "25"): 24, AES256_WRAP: 32}

STD_DH_SHA256: Final = oid("1.3.132.1.11.1")
STD_DH_SHA384: Final = oid("1.3.132.1.11.2")
#: key derivations of RFC 5753 that are read. SHA-1 is what openssl 3 writes unasked; as a KDF it holds
STD_DH: Final[dict[bytes, hashes.HashAlgorithm]] = {
    oid("1.3.133.16.840.63.0.2"): hashes.SHA1(),  # noqa: S303
    oid("1.3.132.1.11.0"): hashes.SHA224(),
    STD_DH_SHA256: hashes.SHA256(),
    STD_DH_SHA384: hashes.SHA384(),
    oid("1.3.132.1.11.3"): hashes.SHA512(),
}
#: RFC 8418 2.1
X25519_HKDF_SHA256: Final = oid(_PKCS + "9.16.3.19")
X25519: Final = oid("1.3.101.110")

CURVES: Final[dict[str, bytes]] = {
    "secp256r1": oid("1.2.840.10045.3.1.7"),
    "secp384r1": oid("1.3.132.0.34"),
    "secp521r1": oid("1.3.132.0.35"),
}
CURVE_TYPES: Final[tuple[type[ec.EllipticCurve], ...]] = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)

#: what smimeCapabilities may say that matters here (RFC 8551 2.5.2, RFC 4262)
CAPABILITY_NAMES: Final = {
    AES256_GCM: "aes256-gcm",
    AES128_GCM: "aes128-gcm",
    AES256_CBC: "aes256-cbc",
    AES128_CBC: "aes128-cbc",
}
