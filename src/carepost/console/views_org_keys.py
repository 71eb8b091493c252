"""The organisation's keys by purpose: what each protects, since when, and a new version of one; the keys of its log."""

from typing import Final

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from carepost.archive.store import store
from carepost.audit import reader
from carepost.console import acting
from carepost.console.guard import shielded
from carepost.engagement.retokening import PLACES
from carepost.ground import clock
from carepost.tenancy import retokening, select
from carepost.tenancy.actions import keys
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.models import OrgKey
from carepost.tenancy.permissions import Permission

#: purpose -> (name, what it does, what a new version changes)
_PURPOSES: Final = {
    "content": (
        "Content", "Wraps the key of each message’s content.",
        "A new key serves new messages; older ones open as before.",
    ),
    "evidence": (
        "Evidence", "Seals addresses, replies of other servers and what is personal in events.",
        "A new key seals what is written from then on; the rest opens as before.",
    ),
    "portal": (
        "Portal", "Wraps what lies in the portal, and makes what stands there for people and their conversations.",
        "A new key serves new messages; older ones open as before. People follow by themselves, a few at a time, and "
        "links and addresses sent before go on working.",
    ),
    keys.INDEX: (
        "Search", "Makes the words that search compares, and what stands for addresses in the suppression list, beside "
        "keys and for the domains of copies that were opened.",
        "A new key serves messages accepted from a minute later on. Older days stay searchable; nothing is indexed "
        "again. Addresses follow by themselves, a few at a time, and are known all the while.",
    ),
    keys.SIGNING: (
        "Log", "Signs the log, and with it every proof.",
        "The old key signs the introduction of the new one as its last act. Proofs made before keep verifying, and "
        "whoever kept the old key can follow to the new one.",
    ),
}  # fmt: skip


class KeyLine(msgspec.Struct, frozen=True):
    purpose: str
    name: str
    does: str
    changes: str
    version: int
    since: int
    #: a newer version serves from then on; 0: this one serves now
    ahead: int
    #: former versions under which something still stands
    behind: tuple[retokening.Behind, ...] = ()


class LogLine(msgspec.Struct, frozen=True):
    """A key of the log: its text, when it began to sign and stopped (0: it signs)."""

    key: str
    since: int
    until: int


@require_safe
@permission(Permission.ORGANISATION)
@shielded
def org_keys(request: StaffRequest) -> HttpResponse:
    now = clock.now()
    newest: dict[str, OrgKey] = {row.purpose: row for row in select.org_keys(request.desk.org)}
    lines = [
        KeyLine(
            purpose, *words, newest[purpose].version, newest[purpose].serves_from or newest[purpose].created_at,
            newest[purpose].serves_from if newest[purpose].serves_from > now else 0,
            retokening.behind(PLACES, request.desk.org, purpose) if purpose in retokening.PURPOSES else (),
        )
        for purpose, words in _PURPOSES.items()
        if purpose in newest
    ]  # fmt: skip
    terms = reader.terms(store(), request.desk.org.bytes)
    ends = [*(term.at for term in terms[1:]), 0]
    log = [LogLine(term.key, term.at, end) for term, end in zip(terms, ends, strict=False)]
    signing = newest.get(keys.SIGNING)
    # the journal has not yet taken the event that introduces the newest
    waits = signing is not None and signing.version > max(1, len(terms))
    context = {"lines": lines, "log": log[::-1], "waits": waits, "now": now}
    return render(request, "console/org-keys.html", context)


@require_POST
@permission(Permission.ORGANISATION)
@shielded
def rotate(request: StaffRequest, purpose: str) -> HttpResponse:
    seen = request.POST.get("version", "")
    row = keys.rotate_key(
        request.desk.org, purpose, actor=request.desk.actor, reason=acting.needed(request),
        after=int(seen) if seen.isdecimal() and len(seen) < 10 else 0,
    )  # fmt: skip
    name = _PURPOSES[purpose][0]
    said = f"{name}: version {row.version} is made."
    if purpose == keys.INDEX:
        said += " It serves in a minute."
    elif purpose == keys.SIGNING:
        said += " It signs as soon as the log has taken its introduction: within seconds."
    return acting.done(request, said, "console:org-keys")
