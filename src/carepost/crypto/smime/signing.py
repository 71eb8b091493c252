"""SignedData (RFC 5652 5, RFC 8551 2.5): detached for multipart/signed, or with the content inside."""

import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from carepost.crypto.smime import der, oids, preference
from carepost.crypto.smime.errors import CannotSeal
from carepost.crypto.smime.identity import Identity, own_capabilities

_DATA = der.tlv(der.OID, oids.DATA)
_RSA = der.sequence(der.tlv(der.OID, oids.RSA), der.NULL)


def _attribute(oid: bytes, value: bytes) -> bytes:
    return der.sequence(der.tlv(der.OID, oid), der.tlv(der.SET, value))


_CONTENT_TYPE = _attribute(oids.CONTENT_TYPE, _DATA)
_CAPABILITIES = _attribute(oids.CAPABILITIES, own_capabilities())


class Signer:
    """An identity made ready to sign; worth keeping. Raises CannotSeal for a key that cannot sign."""

    __slots__ = ("_algorithm", "_certificates", "_digest_id", "_fixed", "_sid", "digest", "identity")

    def __init__(self, identity: Identity) -> None:
        key = identity.key
        if isinstance(key, rsa.RSAPrivateKey):
            self.digest, self._algorithm = oids.SHA256, _RSA
        elif isinstance(key, ec.EllipticCurvePrivateKey):
            self.digest = oids.SHA256 if key.key_size <= 256 else oids.SHA384
            self._algorithm = der.sequence(der.tlv(der.OID, oids.ECDSA[self.digest]))
        else:
            raise CannotSeal("unsupported-key", "A key of this kind cannot sign.")
        self.identity = identity
        self._digest_id = der.sequence(der.tlv(der.OID, self.digest))
        self._sid = identity.certificate.issuer_and_serial
        seen = dict.fromkeys((identity.certificate.der, *identity.chain))
        self._certificates = der.tlv(0xA0, *sorted(seen))
        # who can only be written to under another certificate says so himself, in a message he signs with it
        prefers = (preference.attribute(identity.certificate),) if preference.encrypts(identity.certificate) else ()
        self._fixed = (_CONTENT_TYPE, _CAPABILITIES, self._reference(), *prefers)

    def _reference(self) -> bytes:
        """SigningCertificateV2 (RFC 5035): the signature holds under this certificate and no other of the same key."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.identity.certificate.der)
        # the default hash is SHA-256, and a default is not written in DER
        one = der.sequence(der.tlv(der.OCTETS, digest.finalize()))
        return _attribute(oids.SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(one)))

    def sign(self, content: bytes, at: int, *, detached: bool = True) -> bytes:
        """ContentInfo, DER, over exactly `content`. `at`: UTC microseconds, the signingTime."""
        digest = hashes.Hash(oids.DIGESTS[self.digest])
        digest.update(content)
        attributes = der.set_of(
            *self._fixed,
            _attribute(oids.SIGNING_TIME, _time(at)),
            _attribute(oids.MESSAGE_DIGEST, der.tlv(der.OCTETS, digest.finalize())),
        )
        info = der.sequence(
            der.integer(1), self._sid, self._digest_id, b"\xa0" + attributes[1:], self._algorithm,
            der.tlv(der.OCTETS, self._signed(attributes)),
        )  # fmt: skip
        inside = b"" if detached else der.tlv(0xA0, der.tlv(der.OCTETS, content))
        data = der.sequence(
            der.integer(1), der.tlv(der.SET, self._digest_id), der.sequence(_DATA, inside), self._certificates,
            der.tlv(der.SET, info),
        )  # fmt: skip
        return der.sequence(der.tlv(der.OID, oids.SIGNED_DATA), der.tlv(0xA0, data))

    def _signed(self, attributes: bytes) -> bytes:
        key, digest = self.identity.key, oids.DIGESTS[self.digest]
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(attributes, padding.PKCS1v15(), digest)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(attributes, ec.ECDSA(digest))
        raise CannotSeal("unsupported-key", "A key of this kind cannot sign.")


def _time(at: int) -> bytes:
    """UTCTime until 2049, then GeneralizedTime (RFC 5652 11.3)."""
    moment = datetime.datetime.fromtimestamp(at // 1_000_000, datetime.UTC)
    if 1950 <= moment.year < 2050:
        return der.tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return der.tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode("ascii"))
