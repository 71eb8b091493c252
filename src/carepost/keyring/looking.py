"""What an organisation decides about finding keys: where is looked, whom it believes, what unknown revocation means.

Each is one transaction with its event; the engines hear at once."""

import uuid
from collections.abc import Iterable
from typing import Final

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID

from carepost.crypto.smime import certificate
from carepost.crypto.smime.certificate import Certificate
from carepost.crypto.smime.errors import SmimeError
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.keyring.models import Anchor, Discovery
from carepost.tenancy import names, scope
from carepost.tenancy.act import act
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.found import DEFAULT, SOURCES
from carepost.wire.types import Actor

#: authorities of one organisation, and octets of a file of them
MOST_ANCHORS: Final = 200
MOST_BYTES: Final = 512 * 1024


class Authority(msgspec.Struct, frozen=True):
    """Times: UTC microseconds."""

    id: str
    name: str
    fingerprint: str
    not_after: int
    added_at: int


class Looking(msgspec.Struct, frozen=True):
    """`decided` False: nobody chose, the default holds."""

    sources: tuple[str, ...]
    unknown_ok: bool
    decided: bool
    authorities: tuple[Authority, ...] = ()


def looking(org: uuid.UUID, actor: Actor) -> Looking:
    """Nothing in it is about a person. Raises Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.KEYRING, org)
        row = Discovery.objects.filter(org_id=org).first()
        believed = tuple(
            Authority(str(one.pk), one.name, one.fingerprint, one.not_after, one.added_at)
            for one in Anchor.objects.filter(org_id=org).order_by("name", "pk")
        )
    if row is None:
        return Looking(DEFAULT, False, False, believed)
    chosen = row.sources.split()
    return Looking(tuple(s for s in SOURCES if s in chosen), row.unknown_ok, True, believed)


def choose(org: uuid.UUID, sources: Iterable[str], *, unknown_ok: bool, actor: Actor, reason: str) -> None:
    """Raises Refused for a source that is none, Forbidden."""
    wanted = set(sources)
    if wanted - set(SOURCES):
        raise Refused("no-such-source", f"Sources are: {', '.join(SOURCES)}.", status=422)
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = Discovery.objects.filter(org_id=org).first() or Discovery(org_id=org, sources=" ".join(DEFAULT))
        before = f"{row.sources}; unknown revocation {'ok' if row.unknown_ok else 'not ok'}"
        row.sources, row.unknown_ok, row.changed_at = " ".join(s for s in SOURCES if s in wanted), unknown_ok, doing.at
        row.save()
        after = f"{row.sources}; unknown revocation {'ok' if row.unknown_ok else 'not ok'}"
        doing.event(
            "keyring.discovery-changed", on=[row.pk], facts={}, values={"old": before, "new": after, "reason": why}
        )
        doing.tell_engine()


def believe(org: uuid.UUID, data: bytes, *, actor: Actor, reason: str) -> list[Anchor]:
    """The authorities in a file (PEM, DER, PKCS#7), those known already left out. Raises Refused (no authority in it,
    one that ran out or is no authority, too many), Forbidden."""
    why = names.words(reason, "reason", longest=500)
    found = _read(data)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        known = set(Anchor.objects.filter(org_id=org).values_list("fingerprint", flat=True))
        fresh = {one.fingerprint: one for one in found if one.fingerprint not in known}
        if not fresh:
            raise Refused("known-already", "All authorities of this file are believed already.", status=409)
        if len(known) + len(fresh) > MOST_ANCHORS:
            raise Refused("too-many-authorities", f"At most {MOST_ANCHORS} authorities are believed.", status=422)
        made = [
            Anchor(
                org_id=org, name=_name(one.x509), fingerprint=one.fingerprint, der=one.der, not_after=one.not_after,
                added_at=doing.at,
            )
            for one in fresh.values()
        ]  # fmt: skip
        for row in made:
            row.save(force_insert=True)
        doing.event(
            "keyring.authority-added", on=[row.pk for row in made], facts={"count": str(len(made))},
            values={"reason": why, "new": "\n".join(f"{row.name} {row.fingerprint}" for row in made)},
        )  # fmt: skip
        doing.tell_engine()
    return made


def disbelieve(org: uuid.UUID, anchor: uuid.UUID, *, actor: Actor, reason: str) -> None:
    """Certificates that stand on it alone are used no more. Raises NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = Anchor.objects.filter(org_id=org, pk=anchor).first()
        if row is None:
            raise NotFound("There is no such authority.")
        values = {"reason": why, "old": f"{row.name} {row.fingerprint}"}
        doing.event("keyring.authority-removed", on=[row.pk], values=values)
        row.delete()
        doing.tell_engine()


def _read(data: bytes) -> list[Certificate]:
    if len(data) > MOST_BYTES:
        raise Refused("file-too-large", "The file is larger than 512 KB.", status=413)
    try:
        found = certificate.bundle(data)
    except SmimeError:
        raise Refused("no-certificate", "The file holds no certificate.", status=422) from None
    now = clock.now()
    for one in found:
        if not one.authority:
            raise Refused(
                "no-authority", "The file holds a certificate that is no authority’s: hand in the issuer’s.", status=422
            )
        if one.not_after <= now:
            raise Refused("authority-expired", "A certificate in the file has run out.", status=422)
    return found


def _name(known: x509.Certificate) -> str:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in known.subject.get_attributes_for_oid(oid):
            text = "".join(c for c in str(attribute.value) if c.isprintable()).strip()
            if text:
                return text[:200]
    return "an authority without a name"
