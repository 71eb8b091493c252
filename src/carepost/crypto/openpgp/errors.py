"""What this room refuses: a stable code and a sentence that quotes nothing of what was refused."""

from carepost.ground.errors import Refused


class OpenPgpError(Refused):
    """Anything of OpenPGP that is not taken, made or opened. `code` is stable; the text holds no byte of the input."""

    def __init__(self, code: str, public: str) -> None:
        super().__init__(code, public, enhanced="5.7.5", status=422)


class Malformed(OpenPgpError):
    """Bytes that are not OpenPGP, have two readings, or are over a limit (BI-069, BI-070)."""


class Weak(OpenPgpError):
    """Protection that is none any more: no integrity check, 3DES, CAST5, IDEA, MD5, SHA-1 (BI-068)."""


class Unusable(OpenPgpError):
    """A certificate or key that must not be used for what was asked; `code` is the reason (BI-071)."""


class NotDecrypted(OpenPgpError):
    """One error for every way a decryption can end without its content: a sender learns nothing of why (BI-080)."""

    def __init__(self) -> None:
        super().__init__("not-decrypted", "The message cannot be decrypted with the keys that are here.")
