"""How revocation is asked about, and how long an answer holds (RFC 5280 5, RFC 6960). Fetches nothing."""

import datetime
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from carepost.crypto.smime.errors import UNREADABLE
from carepost.crypto.smime.revocation import OCSP_LIFE

#: media type of a question (RFC 6960 A.1)
OCSP_KIND = "application/ocsp-request"


def question(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """An OCSP request, DER. SHA-1 names the certificate here and proves nothing: every responder knows it (RFC 5019
    2.1.1)."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
    return builder.build().public_bytes(Encoding.DER)


def ocsp_until(raw: bytes) -> int:
    """UTC microseconds until which an OCSP answer holds; 0 for what is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = ocsp.load_der_ocsp_response(raw)
            if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                return 0
            ends = [one.next_update_utc or one.this_update_utc + OCSP_LIFE for one in found.responses]
    except UNREADABLE:
        return 0
    return _us(min(ends)) if ends else 0


def crl_until(raw: bytes) -> int:
    """UTC microseconds until which a revocation list holds; 0 for what is none, or names no end."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            end = x509.load_der_x509_crl(raw).next_update_utc
    except UNREADABLE:
        return 0
    return _us(end) if end is not None else 0


def _us(moment: datetime.datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
