"""A certificate that was renewed: the same authority made another for the same owner of the same address. It holds the
mail as every key that differs does; whether it is one of these is computed, and accepting it is one act."""

import uuid
from collections.abc import Iterator, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from carepost.crypto.smime import certificate, usable
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.chain import TrustStore
from carepost.crypto.smime.errors import SmimeError
from carepost.crypto.smime.usable import Trust
from carepost.directory.types import KeptKey
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.keyring.acts import CHANGED, IN_USE, REPLACED, of_address, opened
from carepost.keyring.models import Anchor, RecipientKey
from carepost.policy.types import Method
from carepost.tenancy import names
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


def accept(org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str = "") -> RecipientKey:
    """The renewed certificate is used from now on, pinned where the one before it was. Raises Refused where it is not
    the same authority's for the same owner, NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500, empty=True)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = RecipientKey.objects.filter(org_id=org, pk=key).first()
        if row is None:
            raise NotFound("There is no such certificate.")
        before = current(row)
        if before is None or not renews(org, before, row):
            raise Refused(
                "not-renewed", "This is not the same authority's certificate for the same owner: compare the "
                "fingerprint with the recipient by telephone, and use it under your name or distrust it.", status=409,
            )  # fmt: skip
        pinned = before.pinned
        before.state, before.pinned, before.changed_at = REPLACED, False, doing.at
        before.save(update_fields=["state", "pinned", "changed_at"])
        row.state, row.pinned, row.changed_at = IN_USE, pinned, doing.at
        row.save(update_fields=["state", "pinned", "changed_at"])
        kept = opened(row)
        doing.event(
            "keyring.key-renewed", on=[before.pk, row.pk],
            facts={"method": row.method, "source": row.source, "state": row.state},
            values={"address": kept.address, "fingerprint": kept.fingerprint, "reason": why},
        )  # fmt: skip
        doing.tell_engine()
    return row


def current(row: RecipientKey) -> RecipientKey | None:
    """The one that `row`, which differs, would take the place of."""
    if row.state != CHANGED or row.method != Method.SMIME.value:
        return None
    return of_address(row.org_id, opened(row).address).filter(method=row.method, state=IN_USE).first()


def renews(org: uuid.UUID, before: RecipientKey, row: RecipientKey) -> bool:
    """Whether `row` is what the authority of `before` made next for its owner. Nothing is believed of a name alone: one
    and the same issuer's key must have signed both."""
    try:
        known, kept = opened(before), opened(row)
        old, new = certificate.parse(known.raw), certificate.parse(kept.raw)
        if old.fingerprint == new.fingerprint or known.address != kept.address:
            return False
        trust = Trust(TrustStore(), pinned=frozenset({new.fingerprint}))
        if usable.for_encryption(new, kept.address, clock.now(), trust).reasons:
            return False
        later = new.not_before >= old.not_before and new.not_after > old.not_after
        return later and _same_owner(old, new) and any(_signed_both(one, old, new) for one in _issuers(org, known))
    except SmimeError:
        return False


def _same_owner(old: Certificate, new: Certificate) -> bool:
    return old.x509.subject == new.x509.subject and old.addresses == new.addresses


def _issuers(org: uuid.UUID, known: KeptKey) -> Iterator[Certificate]:
    """Certificates that may be the issuer's: sent along with the one known so far, and those the organisation
    believes. Never what came with the new one: whoever made it chose that."""
    yield from _read(known.chain)
    yield from _read([bytes(row.der) for row in Anchor.objects.filter(org_id=org).only("der")])


def _read(chain: Sequence[bytes]) -> Iterator[Certificate]:
    for der in chain:
        try:
            yield certificate.parse(der)
        except SmimeError:
            continue


def _signed_both(issuer: Certificate, old: Certificate, new: Certificate) -> bool:
    return issuer.authority and all(_signed(issuer.x509, one.x509) for one in (old, new))


def _signed(issuer: x509.Certificate, one: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
