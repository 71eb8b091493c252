"""The private part of one of the organisation's own keys, given out to an administrator: locked under a passphrase made
here and shown once. The other administrators are told before it is; where they cannot be, nothing is given out."""

import secrets
import uuid
from typing import Final

import msgspec

from carepost.crypto.openpgp import locking
from carepost.crypto.openpgp import secret as pgp_secret
from carepost.crypto.openpgp.errors import OpenPgpError
from carepost.crypto.smime import identity
from carepost.crypto.smime.errors import SmimeError
from carepost.ground import clock
from carepost.ground.errors import Refused
from carepost.keyring import factor, own_acts
from carepost.keyring.models import OwnKey
from carepost.policy.types import Method
from carepost.tenancy import letters, names, scope
from carepost.tenancy.act import act
from carepost.tenancy.letters import Door
from carepost.tenancy.models import Organisation, Staff
from carepost.tenancy.permissions import Forbidden, Permission, authorise
from carepost.wire.types import Actor

#: without what is mistaken for something else when it is copied by hand
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 6, 5

_TEXT: Final = (
    "The private part of one of the organisation's own keys was taken out of Carepost by an administrator.\r\n\r\n"
    "Whoever has it can open what is encrypted to this key, and sign as its owner. Which key it is, who took it and\r\n"
    "why stands in the log{where}. If nobody of you knows of it, revoke the key and change that person's access.\r\n"
)


class TakenOut(msgspec.Struct, frozen=True):
    """`passphrase`: for this file alone; it is kept nowhere. `told`: how many others were written to."""

    name: str
    kind: str
    data: bytes
    passphrase: str
    told: int

    def __repr__(self) -> str:
        return f"TakenOut({self.name})"


def take_out(
    org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str, door: Door, confirmed_at: int, where: str = ""
) -> TakenOut:
    """`confirmed_at`: when this person last showed a second factor (UTC microseconds). `where`: the console's address.
    Raises Refused (no fresh second factor, not to be given out, nothing to give), Unavailable (the others could not be
    told), NotFound, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    now = clock.now()
    with scope.organisation(org):
        authorise(actor, Permission.KEYRING, org)
        row = _fit(org, key)
        organisation = Organisation.objects.get(pk=org)
        others = _others(organisation, actor)
    if actor.kind != "staff":
        # nobody at a terminal can show a second factor
        raise Forbidden
    factor.need(confirmed_at)
    passphrase = _passphrase()
    data, name, kind = _file(row, passphrase)
    told = letters.tell(
        organisation, door, key=f"own-key-out:{row.pk}:{now}", to=others,
        subject="A private key of your organisation was taken out",
        text=_TEXT.format(where=f" ({where}/our-keys)" if where else ""),
    )  # fmt: skip
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = _fit(org, key)
        kept = own_acts.opened(row)
        doing.event(
            "keyring.own-key-taken-out", on=[row.pk],
            facts={"method": row.method, "state": row.state, "count": str(told)},
            values={"address": kept.address, "fingerprint": kept.fingerprint, "reason": why},
        )  # fmt: skip
    return TakenOut(name, kind, data, passphrase, told)


def keep_in(org: uuid.UUID, key: uuid.UUID, *, actor: Actor, reason: str) -> None:
    """Its private part is given out never again: there is no way back. Raises NotFound, Refused, Forbidden."""
    why = names.words(reason, "reason", longest=500)
    with act(org, Permission.KEYRING, actor=actor) as doing:
        row = _fit(org, key)
        kept = own_acts.opened(row)
        row.exportable, row.changed_at = False, doing.at
        row.save(update_fields=["exportable", "changed_at"])
        values = {"address": kept.address, "fingerprint": kept.fingerprint, "reason": why}
        doing.event("keyring.own-key-kept-in", on=[row.pk], facts={"method": row.method}, values=values)


def _fit(org: uuid.UUID, key: uuid.UUID) -> OwnKey:
    row = own_acts.row_of(org, key)
    if not row.exportable:
        raise Refused("key-kept-in", "This key was marked never to be given out.", status=409)
    if row.state in (own_acts.WAITING, own_acts.REVOKED):
        raise Refused("key-state", "Only a key with its certificate, and not revoked, is given out.", status=409)
    return row


def _others(organisation: Organisation, actor: Actor) -> list[str]:
    own = Staff.objects.filter(pk=actor.id).values_list("email", flat=True).first() if actor.kind == "staff" else ""
    return [one for one in letters.holders(organisation, Permission.KEYRING) if one != own]


def _file(row: OwnKey, passphrase: str) -> tuple[bytes, str, str]:
    """(octets, name, media type)."""
    kept = own_acts.opened(row)
    try:
        if row.method == Method.OPENPGP.value:
            data = locking.lock(pgp_secret.load(own_acts.private(row)), passphrase)
            return data, f"key-{kept.fingerprint[-16:].lower()}.asc", "application/pgp-keys"
        found = identity.load(own_acts.private(row), kept.raw, kept.chain)
        data = identity.export_pkcs12(found, passphrase, kept.name)
        return data, f"key-{kept.fingerprint[:16].lower()}.p12", "application/x-pkcs12"
    except (OpenPgpError, SmimeError) as error:
        raise Refused(error.code, error.public, status=422) from None


def _passphrase() -> str:
    """About 148 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
