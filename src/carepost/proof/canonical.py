"""Base64 as proof files and notes hold it: the standard alphabet, padded, in the one form that encodes its bytes."""

import base64
import binascii


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def unb64(text: str, error: type[ValueError], what: str) -> bytes:
    """Raises `error` for anything but canonical base64; `what` begins its sentence."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise error(f"{what} is not base64") from None
    if b64(raw) != text:
        raise error(f"{what} is not in its one canonical base64 form")
    return raw
