"""Refusals of this room. None says anything of what was inside a message, or how far opening it came."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from carepost.ground.errors import CarepostError

#: what the library raises for a certificate, list, answer or key that cannot be read; several of them are no ValueError
UNREADABLE = (
    ValueError, TypeError, OverflowError, UnsupportedAlgorithm, InvalidSignature, x509.InvalidVersion,
    x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.AttributeNotFound,
)  # fmt: skip


class SmimeError(CarepostError):
    """Anything S/MIME that is refused; `code` is stable."""


class Malformed(SmimeError):
    """The cryptographic structure is not what RFC 5652 says, or over a limit. Seen without any key."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("malformed", "The protected message is not well formed.", detail)


class NotForUs(SmimeError):
    """None of the keys at hand is among those it was encrypted to."""

    def __init__(self) -> None:
        super().__init__("no-key", "The message was encrypted to another certificate than the ones kept here.")


class Unsupported(SmimeError):
    """A cipher too weak to be believed, or one nobody here knows. Seen without any key."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("unsupported", "The message was encrypted in a way that is not accepted here.", detail)


class CannotOpen(SmimeError):
    """Whatever went wrong once a private key was used: one error for all of it (BI-080, RFC 3218)."""

    def __init__(self) -> None:
        super().__init__("cannot-open", "The message could not be decrypted.")


class BadCertificate(SmimeError):
    """A certificate, key, PKCS#12 file or certificate request that cannot be read or used."""

    def __init__(self, code: str, public: str) -> None:
        super().__init__(code, public)


class CannotSeal(SmimeError):
    """The message cannot be encrypted or signed as asked."""

    def __init__(self, code: str, public: str) -> None:
        super().__init__(code, public)
