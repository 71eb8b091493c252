"""What the organisation's own authority signs: certificates for its keys, and the list of those taken back. Within an
act of whoever calls; each list is signed ahead and stored where the public pages, which hold no key, find it."""

import uuid
from collections.abc import Sequence
from typing import Final, cast

from cryptography.hazmat.primitives.serialization import load_der_private_key

from carepost.crypto.smime import authority as signing
from carepost.crypto.smime import certificate as x509
from carepost.crypto.smime.authority import CAUSES, Revoked, SignKey
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.errors import SmimeError
from carepost.directory.types import own_key_aad
from carepost.ground.errors import NotFound, Refused
from carepost.keyring.models import Authority, AuthorityList, Issued, OwnKey
from carepost.tenancy import keys
from carepost.tenancy.act import Doing
from carepost.tenancy.endings import DAY_US

ACTIVE, RETIRED = "active", "retired"
#: how long a list counts, and how long before its end the next one is signed
LIST_US, AHEAD_US = 7 * DAY_US, 4 * DAY_US
#: before now: clocks of those who read it need not agree with ours
_BACK_US: Final = 300_000_000


def active(org: uuid.UUID) -> Authority | None:
    """The one that issues."""
    return Authority.objects.filter(org_id=org, state=ACTIVE).first()


def needed(org: uuid.UUID) -> Authority:
    """Raises Refused where there is none."""
    found = active(org)
    if found is None:
        raise Refused("no-authority", "The organisation has no authority of its own; make one first.", status=409)
    return found


def own(row: Authority) -> Certificate:
    return x509.parse(bytes(row.der))


def private(row: Authority) -> SignKey:
    """In clear, for the one act that needs it. Raises ground.keys.WrongKey."""
    raw = keys.purposes().unwrap("mail", bytes(row.wrapped), own_key_aad(row.org_id.bytes, row.pk.bytes))
    return cast(SignKey, load_der_private_key(raw, None))


def certificate(row: Authority, request: bytes, address: str, name: str, at: int, days: int) -> bytes:
    """For the key of this request, DER. Raises Refused."""
    _bound(row, address)
    try:
        return signing.certified(private(row), own(row), request, address, name, at - _BACK_US, days, where=row.where)
    except SmimeError as error:
        raise Refused(error.code, error.public, status=422) from None


def record(doing: Doing, row: Authority, key: OwnKey, der: bytes) -> Issued:
    """What was signed, so that it can be taken back."""
    made = x509.parse(der)
    return Issued.objects.create(
        org_id=doing.org, authority=row, key=key, serial=made.x509.serial_number.to_bytes(20, "big"),
        fingerprint=made.fingerprint, issued_at=doing.at, not_after=made.not_after,
    )  # fmt: skip


def take_back(doing: Doing, key: OwnKey, cause: str) -> int:
    """Every certificate of this key that our authorities signed and that holds still; the lists say so at once. How
    many. Raises Refused for a cause that is none."""
    if cause not in CAUSES:
        raise Refused("bad-cause", f"The cause is one of: {', '.join(CAUSES)}.", status=422)
    held = Issued.objects.filter(org_id=doing.org, key=key, revoked_at=0, not_after__gt=doing.at)
    authorities = list(Authority.objects.filter(org_id=doing.org, pk__in=held.values("authority")))
    taken = held.update(revoked_at=doing.at, cause=cause)
    for row in authorities:
        publish(doing, row)
    return taken


def publish(doing: Doing, row: Authority) -> AuthorityList:
    """A new list, with its event."""
    before = AuthorityList.objects.filter(org_id=doing.org, pk=row.pk).first()
    number = before.number + 1 if before is not None else 1
    until = doing.at + LIST_US
    revoked = _revoked(row, doing.at)
    crl = signing.revocation_list(private(row), own(row), revoked, number, doing.at - _BACK_US, until)
    made = AuthorityList(
        id=row.pk, org_id=doing.org, der=bytes(row.der), crl=crl, number=number, at=doing.at, until=until,
        ends=row.not_after,
    )  # fmt: skip
    made.save(force_insert=before is None, force_update=before is not None)
    doing.event("keyring.list-signed", on=[row.pk], facts={"version": str(number), "count": str(len(revoked))})
    return made


def row_of(org: uuid.UUID, authority: uuid.UUID) -> Authority:
    """Raises NotFound."""
    row = Authority.objects.filter(org_id=org, pk=authority).first()
    if row is None:
        raise NotFound("There is no such authority.")
    return row


def _revoked(row: Authority, at: int) -> Sequence[Revoked]:
    """One that ended by itself stays for one list more (RFC 5280 3.3)."""
    rows = Issued.objects.filter(org_id=row.org_id, authority=row, revoked_at__gt=0, not_after__gt=at - LIST_US)
    found = rows.order_by("revoked_at", "pk").values_list("serial", "revoked_at", "cause")
    return [Revoked(int.from_bytes(bytes(serial), "big"), when, cause) for serial, when, cause in found]


def _bound(row: Authority, address: str) -> None:
    """Whether the authority may sign for this address: its own certificate names the domains."""
    domain = address.rpartition("@")[2].lower()
    if domain not in domains_of(row):
        raise Refused(
            "authority-domain", "The authority is not made for this address’s domain, which came later: make a new "
            "authority, which is bound to all sender domains of now.", status=422,
        )  # fmt: skip


def domains_of(row: Authority) -> tuple[str, ...]:
    """Sender domains that its certificate names."""
    return signing.domains_of(own(row))
