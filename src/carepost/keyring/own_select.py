"""Reading the organisation's own keys: never the private part. Each look is an event before it is shown (law 7)."""

import uuid
from typing import Final

import msgspec

from carepost.crypto.openpgp import certificate as pgp_certificate
from carepost.crypto.openpgp import keys as pgp
from carepost.crypto.smime import certificate as x509
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.keyring import issuing, own_acts
from carepost.keyring.models import Authority, Issued, OwnKey
from carepost.keyring.words import DAY_US, SOON, Mark
from carepost.policy.types import Method
from carepost.tenancy import scope
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission
from carepost.wire import ownkeys
from carepost.wire.types import Actor

PAGE: Final = 50
CERTIFICATE, REQUEST = "certificate", "request"
SOURCES: Final = {"generated": "made here", "pkcs12": "from a PKCS#12 file", "imported": "brought in"}
#: one key, as it is shown everywhere
OwnShown = ownkeys.OwnKey


class OwnPage(msgspec.Struct, frozen=True):
    keys: tuple[OwnShown, ...]
    #: of the next page; "" on the last
    cursor: str = ""


class Public(msgspec.Struct, frozen=True):
    """A file to give out. `name` holds no address."""

    name: str
    data: bytes


def own_keys(org: uuid.UUID, actor: Actor, *, after: str = "", limit: int = PAGE) -> OwnPage:
    """Newest first. Raises Forbidden, NotFound for a cursor that is none."""
    with act(org, Permission.KEYRING, actor=actor) as doing:
        found = OwnKey.objects.filter(org_id=org).order_by("-pk")
        if after:
            try:
                found = found.filter(pk__lt=uuid.UUID(after))
            except ValueError:
                raise NotFound("There is no such page.") from None
        rows = list(found[: limit + 1])
        doing.event("keyring.own-keys-listed", on=[org], facts={"count": str(min(len(rows), limit))})
        shown = tuple([shown_of(row) for row in rows[:limit]])
    return OwnPage(shown, shown[-1].id if len(rows) > limit else "")


def attention(org: uuid.UUID) -> int:
    """How many keys in use, and authorities that issue, ran out or will within 30 days."""
    by = clock.now() + (SOON + 1) * DAY_US
    with scope.organisation(org):
        keys = OwnKey.objects.filter(org_id=org, state=own_acts.ACTIVE, not_after__gt=0, not_after__lte=by)
        return keys.count() + Authority.objects.filter(org_id=org, state=issuing.ACTIVE, not_after__lte=by).count()


def own_key(org: uuid.UUID, actor: Actor, key: uuid.UUID) -> OwnShown:
    """Raises NotFound, Forbidden."""
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = _row(org, key)
        doing.event("keyring.own-key-viewed", on=[row.pk])
        return shown_of(row)


def public_part(org: uuid.UUID, actor: Actor, key: uuid.UUID, part: str = CERTIFICATE) -> Public:
    """What may be given out: the certificate with those of its issuers (PEM), the OpenPGP certificate (armored; revoked
    where it is), or the request for an authority. Raises NotFound, Refused where there is none yet, Forbidden."""
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = _row(org, key)
        kept = own_acts.opened(row)
        doing.event("keyring.own-key-exported", on=[row.pk], facts={"part": part})
    short = (kept.fingerprint or row.pk.hex)[:16]
    if part == REQUEST:
        if not kept.request:
            raise Refused("no-request", "This key has no request for an authority.", status=409)
        return Public(f"{short}.csr", kept.request)
    if not kept.raw:
        raise Refused("no-certificate", "This key waits for its certificate.", status=409)
    if row.method == Method.OPENPGP.value:
        return Public(f"{short}.asc", pgp.armored(pgp_certificate.read(kept.revocation or kept.raw)))
    return Public(f"{short}.pem", b"".join([x509.parse(one).pem() for one in (kept.raw, *kept.chain)]))


def mark(key: OwnShown, now: int) -> Mark:
    """Its state as people read it."""
    if key.state == own_acts.WAITING:
        return Mark(
            "Waits for its certificate", "wait", "Send the request to your authority, and install what it makes."
        )
    if key.state == own_acts.REVOKED:
        return Mark("Revoked", "bad", "It signs and opens nothing.")
    if key.state == own_acts.RETIRED:
        if key.until and key.until <= now:
            return Mark("Over", "plain", "Its time is over: it opens nothing any more.")
        return Mark("Only opens", "plain", "Another signs in its place. It opens what is still encrypted to it.")
    if key.not_after and key.not_after <= now:
        return Mark("Ran out", "bad", "It signs nothing any more. Rotate it.")
    if key.not_after and key.not_after - now <= (SOON + 1) * DAY_US:
        return Mark("In use, ends soon", "wait", "Rotate it before it ends.")
    return Mark("In use", "good", does(key))


def does(key: OwnShown) -> str:
    """What it is for, in one sentence."""
    whose = "everyone who has no key of their own" if key.shared else "this address"
    if not key.signs:
        return f"It opens what comes for {whose}."
    signs = "all mail" if key.always else "encrypted mail"
    return f"It signs {signs} of {whose}" + (", and opens what comes." if key.decrypts else ".")


def shown_of(row: OwnKey) -> OwnShown:
    """For an act's own answer; whoever only looks goes by the functions above, which say so."""
    kept = own_acts.opened(row)
    vouched = False
    if row.method == Method.SMIME.value and kept.raw:
        vouched = not x509.parse(kept.raw).self_issued
    return OwnShown(
        str(row.pk), kept.address, not row.token, row.method, row.algorithm, row.state, row.source, row.signs,
        row.decrypts, row.always, kept.fingerprint, row.not_after, row.until, row.made_at, row.used_at, row.exportable,
        bool(kept.request), bool(kept.revocation), vouched, kept.name,
        vouched and Issued.objects.filter(org_id=row.org_id, key=row, fingerprint=kept.fingerprint).exists(),
    )  # fmt: skip


def _row(org: uuid.UUID, key: uuid.UUID) -> OwnKey:
    row = OwnKey.objects.filter(org_id=org, pk=key).first()
    if row is None:
        raise NotFound("There is no such key.")
    return row
