"""What people do about recipients' certificates. Each is one transaction with its event; the engine hears at once."""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec
from django.db.models import QuerySet

from carepost.directory.types import KEY_PLACE, KeptKey
from carepost.ground import clock
from carepost.ground.errors import CarepostError, NotFound, Refused
from carepost.keyring import reading
from carepost.keyring.models import RecipientKey
from carepost.keyring.reading import Read
from carepost.policy.types import Method
from carepost.tenancy import address_tokens, names, scope, sealing
from carepost.tenancy.act import Doing, act
from carepost.tenancy.actions.suppression import spelt, tokens
from carepost.tenancy.address_tokens import Standing
from carepost.tenancy.permissions import Permission, authorise
from carepost.wire.types import Actor

IN_USE, CHANGED, REPLACED, DISTRUSTED = "in use", "changed", "replaced", "distrusted"
#: its owner took it back
WITHDRAWN: Final = "withdrawn"
ADMINISTRATOR: Final = "administrator"
#: no warning was given yet about its end
NOT_WARNED: Final = 99
#: certificates of one import
MOST: Final = 5_000

_MARK: Final = b"carepost recipient key"
_SECOND: Final = "Another file before it is for the same recipient; hand in the one that holds by itself."
_encode = msgspec.msgpack.Encoder().encode
_kept = msgspec.msgpack.Decoder(KeptKey)


class Imported(msgspec.Struct, frozen=True):
    """One line of an import. `done`: added | replaces (another of its kind) | known | refused; `why` in words where it
    was refused. `not_after`: UTC microseconds, 0 for never. `instead`, `instead_from`: fingerprint and source of the
    one that is replaced, of which its owner may have proved that it is theirs."""

    address: str
    done: str
    why: str = ""
    method: str = ""
    fingerprint: str = ""
    not_after: int = 0
    instead: str = ""
    instead_from: str = ""


def add_key(org: uuid.UUID, address: str, data: bytes, *, actor: Actor, reason: str) -> RecipientKey:
    """An administrator vouches for this certificate: it is pinned, and replaces the one used for the same method until
    now. Raises Refused (what is wrong with the file, in words), AddressError, Forbidden."""
    who, why = spelt(address), names.words(reason, "reason", longest=500)
    found = reading.read(data, who, clock.now())
    with act(org, Permission.KEYRING, actor=actor) as doing:
        return _add(doing, who, found, why)


def import_keys(
    org: uuid.UUID, lines: Sequence[tuple[str, bytes]], *, actor: Actor, reason: str, dry_run: bool
) -> list[Imported]:
    """(address, file) of each. `dry_run`: what would happen, nothing written. One that is refused stops no other; a
    distrusted one is not taken back by the dozen, and of two for one recipient and method the first counts: which of
    them holds is nothing to leave to the order of files. Raises Refused (too many), Forbidden."""
    if len(lines) > MOST:
        raise Refused("too-many-keys", f"Import at most {MOST} certificates at a time.", status=413)
    why = names.words(reason, "reason", longest=500)
    told: list[Imported] = []
    before: dict[tuple[str, Method], Imported] = {}
    # also of a dry run: what is known here is told to nobody else
    with scope.organisation(org):
        authorise(actor, Permission.KEYRING, org)
    for address, data in lines:
        try:
            who = spelt(address)
            found = reading.read(data, who, clock.now())
        except CarepostError as error:
            told.append(Imported(address, "refused", error.public))
            continue
        first = before.get((who.lower(), found.method))
        if first is None:
            one = before[who.lower(), found.method] = _import(org, who, found, why, actor, dry_run)
        elif first.fingerprint == found.fingerprint:
            one = first if first.done == "refused" else msgspec.structs.replace(first, done="known")
        else:
            one = Imported(who, "refused", _SECOND, found.method.value, found.fingerprint, found.not_after)
        told.append(one)
    return told


def _import(org: uuid.UUID, who: str, found: Read, why: str, actor: Actor, dry_run: bool) -> Imported:
    with act(org, Permission.KEYRING, actor=actor) if not dry_run else scope.organisation(org) as doing:
        known = _same(org, who, found)
        done, words, former = _foreseen(org, who, found, known)
        instead = (opened(former).fingerprint, former.source) if former is not None else ("", "")
        if doing is not None and known is not None and done in ("known", "refused"):
            doing.event("keyring.key-kept", on=[known.pk], facts=_facts(known))
        elif doing is not None:
            _add(doing, who, found, why)
    return Imported(who, done, words, found.method.value, found.fingerprint, found.not_after, *instead)


def _foreseen(
    org: uuid.UUID, who: str, found: Read, known: RecipientKey | None
) -> tuple[str, str, RecipientKey | None]:
    """`Imported.done` and `.why`, and the one that is replaced."""
    if known is not None and known.state == DISTRUSTED:
        return "refused", "It is distrusted here; hand it in by itself if it may be used again.", None
    if known is not None and known.state == IN_USE and known.pinned:
        return "known", "", None
    others = of_address(org, who).filter(method=found.method.value, state__in=(IN_USE, CHANGED))
    former = others.exclude(mark__in=marks(address_tokens.standing(org), found)).order_by("state", "pk").last()
    return ("replaces" if former is not None else "added"), "", former


def distrust_key(org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str) -> None:
    """Never encrypted to again, wherever it turns up. Raises NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = _row(org, key)
        _move(doing, row, DISTRUSTED, pinned=False)
        doing.event("keyring.key-distrusted", on=[row.pk], facts=_facts(row), values={"reason": why})
        doing.tell_engine()


def pin_key(org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str) -> None:
    """An administrator vouches for a certificate that was found: it is used from now on, and others of this method are
    replaced. Raises NotFound, Forbidden, Refused for a distrusted one."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = _row(org, key)
        if row.state == DISTRUSTED:
            raise Refused("key-distrusted", "This certificate is distrusted; hand it in again to use it.", status=409)
        _replace(doing, row, opened(row).address)
        _move(doing, row, IN_USE, pinned=True)
        doing.event("keyring.key-pinned", on=[row.pk], facts=_facts(row), values={"reason": why})
        doing.tell_engine()


def opened(row: RecipientKey) -> KeptKey:
    """Raises crypto.rest.Damaged, NotFound."""
    return _kept.decode(sealing.open_(row.org_id, "evidence", bytes(row.sealed), f"{KEY_PLACE}/{row.pk}"))


def _add(doing: Doing, address: str, found: Read, why: str) -> RecipientKey:
    row = _same(doing.org, address, found)
    if row is None:
        row = RecipientKey(org_id=doing.org, method=found.method.value, found_at=doing.at)
    place(row, address_tokens.standing(doing.org), address, found.fingerprint)
    if row.not_after != found.not_after:
        # an OpenPGP key whose end was moved is the same key
        row.not_after, row.warned = found.not_after, NOT_WARNED
    row.source = ADMINISTRATOR
    kept = KeptKey(address, found.raw, found.fingerprint, found.chain)
    row.sealed = sealing.seal(doing.org, "evidence", _encode(kept), f"{KEY_PLACE}/{row.pk}")
    _replace(doing, row, address)
    _move(doing, row, IN_USE, pinned=True)
    values = {"address": address, "fingerprint": found.fingerprint, "reason": why}
    doing.event("keyring.key-added", on=[row.pk], facts=_facts(row), values=values)
    doing.tell_engine()
    return row


def _replace(doing: Doing, row: RecipientKey, address: str) -> None:
    others = of_address(doing.org, address).filter(method=row.method).exclude(pk=row.pk)
    others.filter(state__in=(IN_USE, CHANGED)).update(state=REPLACED, pinned=False, changed_at=doing.at)


def _move(doing: Doing, row: RecipientKey, state: str, *, pinned: bool) -> None:
    row.state, row.pinned, row.changed_at = state, pinned, doing.at
    row.save()


def _row(org: uuid.UUID, key: uuid.UUID) -> RecipientKey:
    row = RecipientKey.objects.filter(org_id=org, pk=key).first()
    if row is None:
        raise NotFound("There is no such certificate.")
    return row


def _same(org: uuid.UUID, address: str, found: Read) -> RecipientKey | None:
    return of_address(org, address).filter(mark__in=marks(address_tokens.standing(org), found)).first()


def of_address(org: uuid.UUID, address: str) -> "QuerySet[RecipientKey]":
    """All that is known of one recipient, under whichever index key it stands. `address`: as `spelt` gives it."""
    return RecipientKey.objects.filter(org_id=org, token__in=tokens(org, address))


def marks(keys: Standing, found: Read) -> list[bytes]:
    """By which the same certificate is known again."""
    return keys.marks(_MARK, bytes.fromhex(found.fingerprint))


def place(row: RecipientKey, keys: Standing, address: str, fingerprint: str) -> None:
    """Token and mark under the newest index key; not saved yet."""
    row.token, row.mark, row.under = keys.token(address), keys.mark(_MARK, bytes.fromhex(fingerprint)), keys.version


def _facts(row: RecipientKey) -> dict[str, str]:
    return {"method": row.method, "source": row.source, "state": row.state}
