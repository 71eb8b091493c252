"""One signature value checked with one certificate's key: RSA (PKCS #1 v1.5, PSS), ECDSA, Ed25519."""

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from carepost.crypto.smime import der, oids
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.errors import Malformed

_ED25519 = der.oid("1.3.101.112")


class SignerInfo(msgspec.Struct, frozen=True):
    who: bytes
    digest: bytes
    #: as they were signed: a SET OF, DER; b"" where there are none
    signed: bytes
    attributes: tuple[tuple[bytes, tuple[bytes, ...]], ...]
    algorithm: bytes
    parameters: bytes
    signature: bytes


def fault(info: SignerInfo, certificate: Certificate) -> str:
    """ "" where this certificate's key signed the attributes."""
    if info.digest not in oids.DIGESTS or info.algorithm in oids.WEAK_SIGNATURES or not info.signed:
        # said already
        return ""
    named = oids.SIGNATURES.get(info.algorithm)
    if named is not None and named != info.digest:
        return "algorithms-differ"
    digest, key = oids.DIGESTS[info.digest], certificate.public_key
    try:
        pss = certificate.key.startswith("rsa-pss")
        if isinstance(key, rsa.RSAPublicKey) and not pss and (info.algorithm == oids.RSA or _is_rsa(info.algorithm)):
            key.verify(info.signature, info.signed, padding.PKCS1v15(), digest)
        elif isinstance(key, rsa.RSAPublicKey) and info.algorithm == oids.PSS:
            scheme = _pss(info.parameters, info.digest)
            if scheme is None:
                return "algorithms-differ"
            key.verify(info.signature, info.signed, scheme, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and named is not None and not _is_rsa(info.algorithm):
            key.verify(info.signature, info.signed, ec.ECDSA(digest))
        elif isinstance(key, ed25519.Ed25519PublicKey) and info.algorithm == _ED25519:
            if info.digest != oids.SHA512:
                # RFC 8419 3.1
                return "algorithms-differ"
            key.verify(info.signature, info.signed)
        else:
            return "unsupported-signature"
    except InvalidSignature:
        return "signature-wrong"
    except (ValueError, UnsupportedAlgorithm):
        return "unsupported-signature"
    return ""


def _is_rsa(algorithm: bytes) -> bool:
    return algorithm in oids.SIGNATURES and algorithm[:-1] == oids.RSA[:-1]


def _pss(parameters: bytes, digest: bytes) -> padding.PSS | None:
    """RSASSA-PSS-params (RFC 4056 2.2) where hash and mask are this digest; None for anything else."""

    def read_pss(cursor: der.Cursor) -> padding.PSS | None:
        inside = cursor.enter(der.SEQUENCE)
        hashed, mask, salt = oids.SHA1, oids.SHA1, 20
        if (explicit := inside.optional(0xA0)) is not None:
            hashed = explicit.algorithm()[0]
        if (explicit := inside.optional(0xA1)) is not None:
            function, of = explicit.algorithm()
            if function != oids.MGF1:
                return None
            mask = der.parse(of, lambda c: c.algorithm())[0]
        if (explicit := inside.optional(0xA2)) is not None:
            salt = explicit.integer()
        if hashed != digest or mask != digest or not 0 <= salt <= 512:
            return None
        return padding.PSS(padding.MGF1(oids.DIGESTS[digest]), salt)

    try:
        return der.parse(parameters, read_pss)
    except Malformed:
        return None
