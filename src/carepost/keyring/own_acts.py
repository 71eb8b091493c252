"""What people do about the organisation's own keys. Each is one transaction with its event; the engine hears at once.

A key that becomes active takes over from the one before it: that signs nothing more, and opens what was encrypted to it
until its time is over."""

import uuid
from typing import Final

import msgspec
from django.db.models import QuerySet

from carepost.crypto.openpgp import keys as pgp
from carepost.crypto.openpgp import secret as pgp_secret
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.directory.types import OWN_KEY_PLACE, OwnKept, own_key_aad
from carepost.ground import clock
from carepost.ground.errors import NotFound, Refused
from carepost.keyring import issuing, own_making
from carepost.keyring.models import OwnKey
from carepost.keyring.own_making import Own
from carepost.policy.types import Method
from carepost.tenancy import address_tokens, keys, names, scope, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.actions import retention
from carepost.tenancy.actions.suppression import spelt
from carepost.tenancy.address_tokens import Standing
from carepost.tenancy.models import SenderDomain
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire import ownkeys
from carepost.wire.types import Actor

WAITING, ACTIVE, RETIRED, REVOKED = "waiting", "active", "retired", "revoked"
GENERATED, PKCS12, IMPORTED = "generated", "pkcs12", "imported"
_DAY_US: Final = 86_400_000_000
#: days a key that was rotated away may go on opening
_MOST_OVERLAP: Final = 36_500
#: days a key made here holds where nothing else is said: what the Baseline Requirements for S/MIME allow
DAYS: Final = {Method.SMIME: 730, Method.OPENPGP: 1095}

_MARK: Final = b"carepost own key"
_encode = msgspec.msgpack.Encoder().encode
_kept = msgspec.msgpack.Decoder(OwnKept)

Taken = ownkeys.ImportedOwnKey


def generate_key(
    org: uuid.UUID, address: str, *, method: Method, actor: Actor, reason: str, shared: bool = False,
    algorithm: str = "", name: str = "", days: int = 0, waiting: bool = False, always: bool = False,
    overlap: int | None = None,
) -> OwnKey:  # fmt: skip
    """A new key for `address`, an address of the organisation. `shared`: the organisation's, which signs for everyone
    who has none of their own. `waiting`: it is used once an authority's certificate for its request was installed.
    `overlap`: days the key it replaces goes on opening; None: until content is kept no longer. Raises Refused,
    AddressError, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    _may(org, actor)
    who = _ours(org, address)
    kind = algorithm or own_making.ALGORITHMS[method][0]
    made = own_making.generate(
        method, kind, who, names.words(name, "name", empty=True), clock.now(), days or DAYS[method],
        waiting=waiting and method is Method.SMIME,
    )  # fmt: skip
    own_making.check(made)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = _new(doing, who, shared, made, GENERATED, name)
        row.always = always
        _place(doing, row, WAITING if not made.raw else ACTIVE, overlap)
        _tell(doing, "keyring.own-key-made", row, who, made.fingerprint, why)
    return row


def import_key(
    org: uuid.UUID, data: bytes, passphrase: str, *, actor: Actor, reason: str, address: str = "",
    shared: bool = False, former: bool = False, always: bool = False, dry_run: bool = False,
    overlap: int | None = None,
) -> Taken:  # fmt: skip
    """The key of a PKCS#12 file, or an OpenPGP secret key. `address`: whose it is; "" as the certificate says.
    `former`: only to open what was encrypted to it. `dry_run`: what would be taken, nothing written. Raises Refused
    (weak, run out, mismatching, of another address, known already), Forbidden."""
    why = names.words(reason, "reason", longest=500)
    _may(org, actor)
    found = own_making.read(data, passphrase, spelt(address) if address else "", clock.now(), former=former)
    own_making.check(found)
    who = _named(org, found, address)
    source = PKCS12 if found.method is Method.SMIME else IMPORTED
    with scope.organisation(org) if dry_run else act(org, Permission.KEYRING, actor=actor) as doing:
        standing = address_tokens.standing(org)
        row = OwnKey(org_id=org, token=b"" if shared else standing.token(who), method=found.method.value)
        if _same_owner(row, who).filter(mark__in=standing.marks(_MARK, found.public)).exists():
            raise Refused("key-known", "This key is here already.", status=409)
        replaces = 0 if former else _before(row, who).count()
        if doing is not None:
            row = _new(doing, who, shared, found, source, "")
            row.always = always and not former
            _place(doing, row, RETIRED if former else ACTIVE, overlap)
            _tell(doing, "keyring.own-key-imported", row, who, found.fingerprint, why)
    return Taken(
        found.method.value, found.algorithm, who, found.fingerprint, found.not_after, found.signs, found.decrypts,
        len(found.chain), replaces, str(row.pk) if doing is not None else "",
    )  # fmt: skip


def install_certificate(
    org: uuid.UUID, key: uuid.UUID, data: bytes, *, actor: Actor, reason: str, overlap: int | None = None
) -> OwnKey:
    """The certificate an authority made for the request of this key: it is used from now on, also in the place of one
    of its own making. Raises Refused (another key's, run out, of another address), NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        return install(doing, key, data, why, overlap)


def install(doing: Doing, key: uuid.UUID, data: bytes, why: str, overlap: int | None) -> OwnKey:
    """`install_certificate` within an act."""
    row = row_of(doing.org, key)
    if row.state not in (WAITING, ACTIVE) or row.method != Method.SMIME.value:
        raise Refused("key-state", "Only an S/MIME key that is in use or waits takes a certificate.", status=409)
    kept = opened(row)
    found = own_making.certified(private(row), data, kept.address, doing.at)
    own_making.check(found)
    _named(doing.org, found, kept.address)
    row.signs, row.decrypts, row.not_after, row.warned = found.signs, found.decrypts, found.not_after, 99
    _seal(row, OwnKept(kept.address, kept.name, found.raw, found.fingerprint, found.chain, kept.request))
    _place(doing, row, ACTIVE, overlap)
    _tell(doing, "keyring.own-key-certified", row, kept.address, found.fingerprint, why)
    return row


def take(
    doing: Doing, who: str, found: Own, why: str, *, shared: bool, name: str, always: bool, overlap: int | None
) -> OwnKey:
    """A key made here, with its certificate, within an act: it signs from now on. `who`: as `ours` gives it."""
    row = _new(doing, who, shared, found, GENERATED, name)
    row.always = always
    _place(doing, row, ACTIVE, overlap)
    _tell(doing, "keyring.own-key-made", row, who, found.fingerprint, why)
    return row


def rotate_key(
    org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str, algorithm: str = "", days: int = 0,
    waiting: bool = False, overlap: int | None = None,
) -> OwnKey:  # fmt: skip
    """A new key for the same owner, which signs at once; the old one opens what comes for it, for `overlap` days (None:
    until content is kept no longer). With `waiting` the old one goes on signing until the new one has its certificate.
    Raises Refused for a key that is not in use, NotFound, Forbidden."""
    _may(org, actor)
    with scope.organisation(org):
        row = row_of(org, key)
        if row.state != ACTIVE:
            raise Refused("key-state", "Only a key that is in use can be rotated.", status=409)
        kept = opened(row)
    method = Method(row.method)
    kind = algorithm or (row.algorithm if row.algorithm in own_making.ALGORITHMS[method] else "")
    return generate_key(
        org, kept.address, method=method, actor=actor, reason=reason, shared=not row.token, algorithm=kind,
        name=kept.name, days=days, waiting=waiting, always=row.always, overlap=overlap,
    )  # fmt: skip


def revoke_key(org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str, cause: str = "unspecified") -> OwnKey:
    """Signs and opens nothing from now on. OpenPGP: its certificate then says so, to be published (`public_part`);
    S/MIME: the list of our own authority says so at once, with `cause` (crypto.smime.authority.CAUSES); another that
    made the certificate must be told. Raises NotFound, Refused, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = row_of(org, key)
        if row.state == REVOKED:
            raise Refused("key-state", "This key is revoked already.", status=409)
        kept = opened(row)
        if row.method == Method.OPENPGP.value:
            try:
                revoked = pgp.revoke(pgp_secret.load(private(row)))
                _seal(row, msgspec.structs.replace(kept, revocation=revoked.raw))
            except OpenPgpError:
                # its main part is elsewhere: whoever has it must revoke it there
                pass
        row.state, row.always, row.changed_at = REVOKED, False, doing.at
        row.save()
        issuing.take_back(doing, row, cause)
        _tell(doing, "keyring.own-key-revoked", row, kept.address, kept.fingerprint, why)
    return row


def set_always(org: uuid.UUID, key: uuid.UUID, always: bool, *, actor: Actor, reason: str) -> OwnKey:
    """Whether this key signs also what leaves unencrypted. Raises Refused for one that does not sign, NotFound,
    Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = row_of(org, key)
        if always and (row.state not in (ACTIVE, WAITING) or not row.signs):
            raise Refused("key-state", "This key does not sign.", status=409)
        kept = opened(row)
        row.always, row.changed_at = always, doing.at
        row.save()
        _tell(doing, "keyring.own-key-changed", row, kept.address, kept.fingerprint, why)
    return row


def used(org: uuid.UUID, key: uuid.UUID, at: int) -> None:
    """A message left signed with it at `at`, or was opened by it; its event says so, this is for the screen, by the
    day."""
    with scope.organisation(org):
        OwnKey.objects.filter(org_id=org, pk=key, used_at__lt=at - at % _DAY_US).update(used_at=at)


def opened(row: OwnKey) -> OwnKept:
    """Raises crypto.rest.Damaged, NotFound."""
    return _kept.decode(sealing.open_(row.org_id, "evidence", bytes(row.sealed), f"{OWN_KEY_PLACE}/{row.pk}"))


def private(row: OwnKey) -> bytes:
    """In clear, for the one act that needs it. Raises ground.keys.WrongKey."""
    return keys.purposes().unwrap("mail", bytes(row.wrapped), own_key_aad(row.org_id.bytes, row.pk.bytes))


def ours(org: uuid.UUID, address: str, actor: Actor) -> str:
    """The address as it is kept, where this actor may make keys and it is the organisation's. Raises Refused,
    AddressError, Forbidden."""
    _may(org, actor)
    return _ours(org, address)


def _may(org: uuid.UUID, actor: Actor) -> None:
    """Before anything costly is made, or told of the organisation."""
    with scope.organisation(org):
        authorise(actor, Permission.KEYRING, org)


def _ours(org: uuid.UUID, address: str) -> str:
    who = spelt(address)
    with scope.organisation(org):
        domain = who.rpartition("@")[2].lower()
        if not SenderDomain.objects.filter(org_id=org, domain=domain, removed_at=0).exists():
            raise Refused(
                "key-address", "The key must be for an address of one of the organisation’s sender domains; add the "
                "domain first.", status=422,
            )  # fmt: skip
    return who


def _named(org: uuid.UUID, found: Own, address: str) -> str:
    """Whose key it is: `address` where the certificate names it, else the first of ours that it names."""
    if address:
        return _ours(org, address)
    for one in found.addresses:
        try:
            return _ours(org, one)
        except Refused:
            continue
    raise Refused("key-address", "The certificate names no address of the organisation’s sender domains.", status=422)


def _new(doing: Doing, who: str, shared: bool, found: Own, source: str, name: str) -> OwnKey:
    row = OwnKey(
        org_id=doing.org, method=found.method.value, algorithm=found.algorithm, signs=found.signs,
        decrypts=found.decrypts, source=source, not_after=found.not_after, made_at=doing.at,
    )  # fmt: skip
    place(row, address_tokens.standing(doing.org), "" if shared else who, found.public)
    row.wrapped = keys.purposes().wrap("mail", found.private, own_key_aad(doing.org.bytes, row.pk.bytes))
    _seal(row, OwnKept(who, name.strip(), found.raw, found.fingerprint, found.chain, found.request))
    return row


def place(row: OwnKey, keys: Standing, address: str, public: bytes) -> None:
    """Token and mark under the newest index key; not saved yet. `address`: "" for the organisation's own. `public`:
    `own_making.Own.public`."""
    row.token = keys.token(address) if address else b""
    row.mark, row.under = keys.mark(_MARK, public), keys.version


def _place(doing: Doing, row: OwnKey, state: str, overlap: int | None) -> None:
    """Into this state; a key that becomes active takes over from those before it."""
    if overlap is not None and not 0 <= overlap <= _MOST_OVERLAP:
        raise Refused("key-overlap", f"The overlap is 0 to {_MOST_OVERLAP} days.", status=422)
    if state == ACTIVE and row.signs:
        kept_for = retention.content_days(doing.org) if overlap is None else overlap
        # content kept for ever, or nothing to take over the opening: no end
        endless = (overlap is None and not kept_for) or not row.decrypts
        until = 0 if endless else doing.at + kept_for * _DAY_US
        _before(row, opened(row).address).update(state=RETIRED, always=False, until=until, changed_at=doing.at)
    row.state, row.changed_at = state, doing.at
    row.save()


def _same_owner(row: OwnKey, address: str) -> "QuerySet[OwnKey]":
    """Under whichever index key they stand."""
    tokens = address_tokens.standing(row.org_id).tokens(address) if row.token else [b""]
    return OwnKey.objects.filter(org_id=row.org_id, token__in=tokens)


def _before(row: OwnKey, address: str) -> "QuerySet[OwnKey]":
    return _same_owner(row, address).filter(method=row.method, state=ACTIVE, signs=True).exclude(pk=row.pk)


def _seal(row: OwnKey, kept: OwnKept) -> None:
    row.sealed = sealing.seal(row.org_id, "evidence", _encode(kept), f"{OWN_KEY_PLACE}/{row.pk}")


def _tell(doing: Doing, kind: str, row: OwnKey, address: str, fingerprint: str, why: str) -> None:
    facts = {"method": row.method, "source": row.source, "state": row.state, "algorithm": row.algorithm}
    facts["owner"] = "address" if row.token else "organisation"
    facts["always"] = "yes" if row.always else "no"
    doing.event(kind, on=[row.pk], facts=facts, values={"address": address, "fingerprint": fingerprint, "reason": why})
    doing.tell_engine()


def row_of(org: uuid.UUID, key: uuid.UUID) -> OwnKey:
    """Raises NotFound."""
    row = OwnKey.objects.filter(org_id=org, pk=key).first()
    if row is None:
        raise NotFound("There is no such key.")
    return row
