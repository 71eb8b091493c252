"""What we ask of the issuers on a certificate's way to an anchor (RFC 5280 6.1), for servers and for mail alike.

As strict as OpenSSL, not as the Web PKI's paper: private CAs of clinics rarely carry every extension the Baseline
Requirements ask for. Critical extensions nobody here knows, and name constraints, are refused and kept regardless."""

from collections.abc import Callable

from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy

Purposes = tuple[x509.ObjectIdentifier, ...]


def ca_policy(purposes: Purposes) -> ExtensionPolicy:
    """Of issuers. `purposes`: one of them must be allowed where extended key usage is said at all."""
    return (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _issues)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for(purposes))
    )


def leaf_policy(purposes: Purposes) -> ExtensionPolicy:
    """Of the certificate itself; what more it must have is the caller's to add."""
    return ExtensionPolicy.permit_all().may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for(purposes))


def _issues(_policy: object, _certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("an issuer is no CA")


def _signs(_policy: object, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an issuer may not sign certificates")


def _for(purposes: Purposes) -> Callable[[object, x509.Certificate, x509.ExtendedKeyUsage | None], None]:
    def check(_policy: object, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
        if usage is not None and not any(oid in usage for oid in purposes):
            raise ValueError("not for this use")

    return check
