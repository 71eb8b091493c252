"""The organisation as its own certification authority: made, ended, and what it certifies. Each is one transaction with
its event. Its private key signs certificates and lists here, and is given out to nobody."""

import uuid
from typing import Final
from urllib.parse import urlsplit

import msgspec
from django.conf import settings

from carepost.crypto.smime import authority as signing
from carepost.crypto.smime import certificate as x509
from carepost.crypto.smime import identity
from carepost.crypto.smime.errors import SmimeError
from carepost.directory.types import own_key_aad
from carepost.ground import clock, log
from carepost.ground.errors import CarepostError, Refused
from carepost.keyring import factor, issuing, own_acts, own_making
from carepost.keyring.models import Authority, AuthorityList, Issued, OwnKey
from carepost.keyring.own_select import Public
from carepost.policy.types import Method
from carepost.tenancy import keys, names, scope
from carepost.tenancy.act import act
from carepost.tenancy.endings import DAY_US
from carepost.tenancy.models import Organisation, SenderDomain
from carepost.tenancy.permissions import Forbidden, Permission, authorise
from carepost.wire.ownkeys import OwnAuthority
from carepost.wire.types import Actor

#: a certificate of ours is renewed so long before its end
RENEW_US: Final = 45 * DAY_US
#: keys renewed, and lists signed, in one round
ROUND: Final = 20
_JOURNAL: Final = Actor("system", "journal")
#: path below the host that faces outside
PATH: Final = "/ca/"


def make_authority(
    org: uuid.UUID, *, actor: Actor, reason: str, algorithm: str = "", where: str = "", days: int = 0,
    confirmed_at: int = 0,
) -> Authority:  # fmt: skip
    """It issues from now on; one before it issues nothing more, and its list goes on. `where`: the address of the host
    that faces outside, as certificates will name it ("": the portal's). `confirmed_at`: when this person showed a
    second factor. Raises Refused, Forbidden for a program."""
    why = names.words(reason, "reason", longest=500)
    kind = algorithm or signing.KINDS[0]
    if kind not in signing.KINDS:
        raise Refused("key-kind", f"An authority’s key is one of {', '.join(signing.KINDS)}.", status=422)
    if not 0 <= days <= signing.MOST_OWN_DAYS:
        raise Refused("key-days", f"An authority holds at most {signing.MOST_OWN_DAYS} days.", status=422)
    with scope.organisation(org):
        authorise(actor, Permission.KEYRING, org)
    _fresh(actor, confirmed_at)
    key = signing.generate(kind)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        owned = SenderDomain.objects.filter(org_id=org, removed_at=0).order_by("domain")
        try:
            der = signing.made(
                key, doing.organisation.name, list(owned.values_list("domain", flat=True)), doing.at,
                days or signing.OWN_DAYS,
            )  # fmt: skip
        except SmimeError as error:
            raise Refused(error.code, error.public, status=422) from None
        Authority.objects.filter(org_id=org, state=issuing.ACTIVE).update(state=issuing.RETIRED, changed_at=doing.at)
        row = Authority(
            org_id=org, name=doing.organisation.name[:64], algorithm=kind, state=issuing.ACTIVE, der=der,
            not_after=x509.parse(der).not_after, made_at=doing.at, changed_at=doing.at,
        )  # fmt: skip
        row.where = f"{_where(doing.organisation, where)}{PATH}{org}/{row.pk}"
        row.wrapped = keys.purposes().wrap("mail", identity.private_bytes(key), own_key_aad(org.bytes, row.pk.bytes))
        row.save(force_insert=True)
        facts = {"algorithm": kind, "state": row.state, "count": str(len(issuing.domains_of(row)))}
        values = {"fingerprint": x509.parse(der).fingerprint, "reason": why}
        doing.event("keyring.authority-made", on=[row.pk], facts=facts, values=values)
        issuing.publish(doing, row)
        doing.tell_engine()
    return row


def end_authority(org: uuid.UUID, authority: uuid.UUID, *, actor: Actor, reason: str) -> Authority:
    """It issues nothing more; what it signed holds, and its list goes on to its own end. Raises NotFound, Refused."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = issuing.row_of(org, authority)
        if row.state != issuing.ACTIVE:
            raise Refused("authority-state", "This authority issues nothing already.", status=409)
        row.state, row.changed_at = issuing.RETIRED, doing.at
        row.save(update_fields=["state", "changed_at"])
        doing.event("keyring.authority-ended", on=[row.pk], facts={"state": row.state}, values={"reason": why})
    return row


def generate_key(
    org: uuid.UUID, address: str, *, actor: Actor, reason: str, shared: bool = False, algorithm: str = "",
    name: str = "", days: int = 0, always: bool = False, overlap: int | None = None,
) -> OwnKey:  # fmt: skip
    """A new key for `address` with a certificate of our authority; it signs from now on. Raises Refused, AddressError,
    Forbidden."""
    why = names.words(reason, "reason", longest=500)
    who, now = own_acts.ours(org, address, actor), clock.now()
    called = names.words(name, "name", empty=True)
    made = own_making.generate(
        Method.SMIME, algorithm or own_making.ALGORITHMS[Method.SMIME][0], who, called, now,
        days or identity.DAYS, waiting=True,
    )  # fmt: skip
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = issuing.needed(org)
        der = issuing.certificate(row, made.request, who, called, doing.at, days or identity.DAYS)
        found = own_making.certified(made.private, _with(row, der), who, doing.at)
        own_making.check(found)
        found = msgspec.structs.replace(found, request=made.request, algorithm=made.algorithm)
        key = own_acts.take(doing, who, found, why, shared=shared, name=called, always=always, overlap=overlap)
        issuing.record(doing, row, key, der)
    return key


def rotate_key(
    org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str, algorithm: str = "", days: int = 0,
    overlap: int | None = None,
) -> OwnKey:  # fmt: skip
    """As `own_acts.rotate_key`; our authority makes the certificate of the new key. Raises Refused, NotFound,
    Forbidden."""
    with scope.organisation(org):
        authorise(actor, Permission.KEYRING, org)
        row = own_acts.row_of(org, key)
        if row.state != own_acts.ACTIVE or row.method != Method.SMIME.value:
            raise Refused("key-state", "Only an S/MIME key that is in use can be rotated this way.", status=409)
        kept = own_acts.opened(row)
    kind = algorithm or (row.algorithm if row.algorithm in own_making.ALGORITHMS[Method.SMIME] else "")
    return generate_key(
        org, kept.address, actor=actor, reason=reason, shared=not row.token, algorithm=kind, name=kept.name, days=days,
        always=row.always, overlap=overlap,
    )  # fmt: skip


def certify_key(
    org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str, days: int = 0, overlap: int | None = None
) -> OwnKey:
    """Our authority's certificate for a key that is here, also in the place of one of its own making. Raises Refused,
    NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row, authority = own_acts.row_of(org, key), issuing.needed(org)
        kept = own_acts.opened(row)
        if not kept.request:
            raise Refused("no-request", "This key has no request: it came with a certificate. Rotate it.", status=409)
        der = issuing.certificate(authority, kept.request, kept.address, kept.name, doing.at, days or identity.DAYS)
        row = own_acts.install(doing, key, _with(authority, der), why, overlap)
        issuing.record(doing, authority, row, der)
    return row


def renew(now: int) -> int:
    """Called by the journal: keys whose certificate of ours ends soon get a successor, which signs from then on; the
    former goes on opening. How many."""
    with scope.every("the certificates of every organisation's own authority end"):
        ending = Issued.objects.filter(
            revoked_at=0, not_after__lt=now + RENEW_US, not_after__gt=now, key__state=own_acts.ACTIVE,
            authority__state=issuing.ACTIVE,
        )  # fmt: skip
        due = list(ending.order_by("not_after", "pk").values_list("org_id", "key_id").distinct()[:ROUND])
    return sum(_renew(org, key, now) for org, key in due)


def _renew(org: uuid.UUID, key: uuid.UUID, now: int) -> int:
    with scope.organisation(org):
        row = OwnKey.objects.filter(org_id=org, pk=key, state=own_acts.ACTIVE).first()
        authority = issuing.active(org)
        # it may have been certified by somebody else since, and an authority near its own end gives nothing longer
        if row is None or authority is None or not row.not_after or row.not_after > now + RENEW_US:
            return 0
        if authority.not_after <= row.not_after + DAY_US:
            return 0
    try:
        rotate_key(org, key, actor=_JOURNAL, reason="its certificate comes to its end")
        # COMMIT POINT: before it the former key signs, after it the new one; a round that comes again finds it retired
    except CarepostError as error:
        log.failure("own-key-not-renewed", error, key=str(key))
        return 0
    return 1


def sign_lists(now: int) -> int:
    """Called by the journal: lists that end soon are signed anew. How many."""
    with scope.every("the lists of every organisation's authority must not run out"):
        due = AuthorityList.objects.filter(until__lt=now + issuing.AHEAD_US, ends__gt=now, org__closed_at=0)
        rows = list(due.order_by("until", "pk").values_list("org_id", "pk")[:ROUND])
    for org, pk in rows:
        with act(org, Permission.KEYRING, actor=_JOURNAL) as doing:
            issuing.publish(doing, issuing.row_of(org, pk))
            # COMMIT POINT: before it the former list is served, which counts for days yet; after it the new one
    return len(rows)


def sign_list(org: uuid.UUID, authority: uuid.UUID, *, actor: Actor) -> AuthorityList:
    """A new list now, ahead of the clock's. Raises Refused for an authority that ended by itself, NotFound,
    Forbidden."""
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = issuing.row_of(org, authority)
        if row.not_after <= doing.at:
            raise Refused("authority-over", "This authority has run out: its lists count no more.", status=409)
        return issuing.publish(doing, row)


def authorities(org: uuid.UUID, actor: Actor) -> tuple[OwnAuthority, ...]:
    """Newest first. Raises Forbidden."""
    with act(org, Permission.KEYRING, actor=actor) as doing:
        rows = list(Authority.objects.filter(org_id=org).order_by("-pk"))
        doing.event("keyring.authorities-listed", on=[org], facts={"count": str(len(rows))})
        return tuple([_shown(row, doing.at) for row in rows])


def certificate(org: uuid.UUID, actor: Actor, authority: uuid.UUID) -> Public:
    """The authority's own certificate, PEM: for partners, who take it up as one they believe. Raises NotFound,
    Forbidden."""
    with act(org, Permission.KEYRING, actor=actor) as doing:
        found = issuing.own(issuing.row_of(org, authority))
        doing.event("keyring.authority-exported", on=[authority])
    return Public(f"authority-{found.fingerprint[:16].lower()}.pem", found.pem())


def _shown(row: Authority, now: int) -> OwnAuthority:
    known = issuing.own(row)
    listed = AuthorityList.objects.filter(org_id=row.org_id, pk=row.pk).first()
    issued = Issued.objects.filter(org_id=row.org_id, authority=row)
    return OwnAuthority(
        str(row.pk), row.name, row.algorithm, row.state, known.fingerprint, issuing.domains_of(row),
        f"{row.where}.crl", f"{row.where}.cer",
        row.made_at, row.not_after, issued.filter(revoked_at=0, not_after__gt=now).count(),
        issued.filter(revoked_at__gt=0).count(), listed.number if listed else 0, listed.at if listed else 0,
        listed.until if listed else 0,
    )  # fmt: skip


def _with(row: Authority, der: bytes) -> bytes:
    return x509.parse(der).pem() + issuing.own(row).pem()


def _fresh(actor: Actor, confirmed_at: int) -> None:
    if actor.kind == "system":
        # the command line holds the keyring itself
        return
    if actor.kind != "staff":
        raise Forbidden
    factor.need(confirmed_at)


def _where(organisation: Organisation, given: str) -> str:
    chosen = (given.strip() or organisation.portal_url or settings.CAREPOST_CONFIG.portal_url).rstrip("/")
    parts = urlsplit(chosen)
    plain = chosen.isascii() and chosen.isprintable() and len(chosen) <= 200 and not parts.query and not parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or not plain:
        raise Refused(
            "authority-where", "Say at which address others reach the portal’s host, as http://portal.clinic.example: "
            "certificates name it, and mail programs fetch the list there.", status=422,
        )  # fmt: skip
    return chosen
