"""The handshake: what it achieved, independent of whom it is for. `floor` compares that with what a recipient needs."""

import ssl
from typing import Any

import msgspec

from carepost.delivery.trust import Anchors, Chain
from carepost.ground import suites

#: in the words of `ssl.SSLObject.version`
VERSIONS = ("TLSv1.2", "TLSv1.3")


class Handshake(msgspec.Struct, frozen=True):
    """What a connection achieved. Kept with it while it is pooled."""

    version: str
    cipher: str
    chain: Chain


def context(*, classical: bool = False) -> ssl.SSLContext:
    """TLS 1.2 at least, forward secrecy and AEAD (`ground.suites`), DH of 2048 bits at least (BI-039).

    It accepts every certificate: `measure` judges the chain after the handshake, in which OpenSSL has checked that the
    server holds the leaf's key. `classical` offers one small key share, for networks that lose long first flights
    (BI-040).
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    suites.direct(suites.modern(made))
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if classical:
        made.set_ecdh_curve("prime256v1")
    return made


def measure(ssl_object: Any, anchors: Anchors) -> Handshake:
    """`ssl_object`: what the transport calls so, after the handshake. Raises ssl.SSLError for an old version."""
    version = ssl_object.version() or ""
    if version not in VERSIONS:
        raise ssl.SSLError(f"{version or 'no TLS'} was negotiated")
    cipher = ssl_object.cipher()
    return Handshake(version, cipher[0] if cipher else "", anchors.judge(shown_chain(ssl_object)))


def shown_chain(ssl_object: Any) -> tuple[bytes, ...]:
    """The certificates the server sent, DER, leaf first. Public since Python 3.13, before that one attribute deep."""
    public = getattr(ssl_object, "get_unverified_chain", None)
    if public is not None:
        return tuple(public() or ())
    inner = getattr(ssl_object, "_sslobj", None)
    private = getattr(inner, "get_unverified_chain", None)
    if private is not None:
        return tuple(ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in private() or ())
    leaf = ssl_object.getpeercert(binary_form=True)
    return (leaf,) if leaf else ()
