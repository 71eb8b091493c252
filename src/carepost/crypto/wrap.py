"""Content keys under an organisation's key: `01 ‖ organisation key version (4 bytes) ‖ nonce ‖ ciphertext ‖ tag`.

The version stands outside so that rotation can find and re-wrap what an old key still holds; it is in the AAD."""

from cryptography.exceptions import InvalidTag

from carepost.crypto.rest import KEY, NONCE, TAG, VERSION, Damaged, cipher
from carepost.ground import entropy

_HEAD = 5
_LENGTH = _HEAD + NONCE + KEY + TAG


def wrap_key(org_key: bytes, content_key: bytes, aad: bytes, version: int = 1) -> bytes:
    """`content_key` (32 bytes) under `org_key`, which is version `version` of its purpose. `aad`: org ‖ message."""
    head = VERSION + version.to_bytes(4, "big")
    nonce = entropy.take(NONCE)
    return head + nonce + cipher(org_key).encrypt(nonce, content_key, head + aad)


def unwrap_key(org_key: bytes, wrapped: bytes, aad: bytes) -> bytes:
    """Raises Damaged."""
    version(wrapped)
    nonce = wrapped[_HEAD : _HEAD + NONCE]
    try:
        return cipher(org_key).decrypt(nonce, wrapped[_HEAD + NONCE :], wrapped[:_HEAD] + aad)
    except InvalidTag:
        raise Damaged("a wrapped key does not open under this organisation key") from None


def version(wrapped: bytes) -> int:
    """The version of the organisation key that `wrapped` needs. Raises Damaged."""
    if len(wrapped) != _LENGTH or wrapped[:1] != VERSION:
        raise Damaged("not a wrapped key of version 1")
    return int.from_bytes(wrapped[1:_HEAD], "big")
