"""Signatures of calls: Standard Webhooks 1.0 (HMAC-SHA256 `v1`, Ed25519 `v1a`) and SendGrid's ECDSA. Pure."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SENDGRID_SIGNATURE: Final = "X-Twilio-Email-Event-Webhook-Signature"
SENDGRID_TIMESTAMP: Final = "X-Twilio-Email-Event-Webhook-Timestamp"
#: SendGrid's header has room for one signature: that of the newer secret, while two count
NEXT: Final = "X-Carepost-Next-Signature"


class Keys(msgspec.Struct, frozen=True):
    """One secret, in the three forms it signs with. Raw bytes; P-256 as PKCS#8 DER."""

    hmac: bytes
    ed25519: bytes
    p256: bytes

    def __repr__(self) -> str:
        return "Keys()"


def make() -> Keys:
    p256 = ec.generate_private_key(ec.SECP256R1())
    der = p256.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Keys(secrets.token_bytes(32), secrets.token_bytes(32), der)


def encode(keys: Keys) -> bytes:
    return msgspec.msgpack.encode(keys)


def decode(stored: bytes) -> Keys:
    return msgspec.msgpack.decode(stored, type=Keys)


def secret(keys: Keys) -> str:
    """What a receiver checks `v1` with; shown once."""
    return "whsec_" + base64.b64encode(keys.hmac).decode()


def public(keys: Keys) -> str:
    """What a receiver checks `v1a` with."""
    return "whpk_" + base64.b64encode(_ed25519(keys).public_key().public_bytes_raw()).decode()


def sendgrid_public(keys: Keys) -> str:
    """What SendGrid's helpers call the verification key: base64 of SubjectPublicKeyInfo."""
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(_p256(keys).public_key().public_bytes(serialization.Encoding.DER, spki)).decode()


def headers(keys: Sequence[Keys], id: str, at: int, body: bytes) -> dict[str, str]:
    """Of one call at `at` (Unix seconds): every secret of `keys` signs, newest first, in both schemes."""
    signed = f"{id}.{at}.".encode() + body
    signatures = []
    for one in keys:
        signatures.append("v1," + base64.b64encode(hmac.digest(one.hmac, signed, hashlib.sha256)).decode())
    for one in keys:
        signatures.append("v1a," + base64.b64encode(_ed25519(one).sign(signed)).decode())
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}


def sendgrid_headers(keys: Sequence[Keys], at: int, body: bytes) -> dict[str, str]:
    """`keys` newest first. The header holds the older secret's signature until it ends: its receiver knows that one."""
    signed = str(at).encode() + body
    made = [base64.b64encode(_p256(one).sign(signed, ec.ECDSA(hashes.SHA256()))).decode() for one in keys]
    found = {SENDGRID_SIGNATURE: made[-1], SENDGRID_TIMESTAMP: str(at)}
    return found | ({NEXT: made[0]} if len(made) > 1 else {})


def _ed25519(keys: Keys) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.ed25519)


def _p256(keys: Keys) -> ec.EllipticCurvePrivateKey:
    found = serialization.load_der_private_key(keys.p256, None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found
