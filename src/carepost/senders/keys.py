"""DKIM (RFC 6376, 8301, 8463) of a sender domain: each key in its phase, beside what DNS shows of it."""

from collections.abc import Sequence
from typing import Final

from carepost.crypto import dkim_record
from carepost.rfc import dkimtags
from carepost.rfc.asking import Course, Found
from carepost.rfc.dkimtags import DkimError
from carepost.senders.answers import Lines, texts, txt
from carepost.senders.types import Key, Line, Part, Phase

#: what a revoked key's record says (RFC 6376 3.6.1)
EMPTY: Final = "v=DKIM1; p="
_WHY: Final = {
    Phase.ACTIVE: "This system signs with it; receivers read the key here and see that mail is yours and unchanged.",
    Phase.NEXT: "The next key: signing changes to it once DNS shows it, so that no mail leaves unverifiable.",
    Phase.OLD: "The former key: mail that is still on its way was signed with it.",
    Phase.DUE: "The former key: no mail that it signed is on its way any more.",
    Phase.REVOKED: "A key that was revoked: nobody may believe what it signs.",
}
_MENDS: Final = {
    Phase.ACTIVE: "Mail is signed, and receivers cannot check it: publish the key.",
    Phase.NEXT: "Publish it, and leave the others as they are.",
    Phase.OLD: "Publish it again until its time is over.",
}
_FAULTS: Final = {
    "testing": "It says t=y, “only testing”: receivers may pass over it.",
    "short": "Its key is shorter than 2048 bits.",
    "revoked": "It says that the key was revoked.",
    "unfit": "It says that the key is for another service or hash.",
    "unreadable": "What stands there is no key.",
    "key-syntax": "What stands there is no key record.",
}


def check(domain: str, keys: Sequence[Key]) -> Course[list[Line]]:
    """One line a key; one that says so where no key signs."""
    found = []
    if not any(key.phase is Phase.ACTIVE for key in keys):
        lines = Lines(Part.DKIM, f"_domainkey.{domain}", "TXT", _WHY[Phase.ACTIVE])
        found.append(lines.missing("No key signs mail of this domain. Make the next key, and publish it.", "no-key"))
    for key in keys:
        found.append((yield from _one(domain, key)))
    return found


def _one(domain: str, key: Key) -> Course[Line]:
    name = f"{key.selector}._domainkey.{domain}"
    wanted = {Phase.REVOKED: EMPTY, Phase.DUE: ""}.get(key.phase, key.record)
    lines = Lines(
        Part.DKIM,
        name,
        "TXT",
        _WHY[key.phase],
        wanted=wanted,
        needed=key.phase in (Phase.ACTIVE, Phase.NEXT),
        phase=key.phase.value,
    )
    answer = yield from txt(name)
    if answer.failed:
        return lines.unknown()
    found = texts(answer)
    if key.phase is Phase.DUE:
        todo = "Take the record out of DNS, or revoke the key and publish it empty." if found else ""
        return lines.right("may-go" if found else "gone", todo, found)
    if key.phase is Phase.REVOKED:
        return _revoked(lines, answer, found)
    if not found:
        return lines.missing(_MENDS[key.phase])
    if len(found) > 1:
        return lines.different("several", "Several records stand there; receivers use any of them. Leave one.", found)
    fault = dkim_record.fault(key.record, answer.texts[0])
    if fault:
        words = _FAULTS.get(fault, "Another key stands there.")
        return lines.different(fault, f"{words} {_again(key)}", found)
    return lines.right("shown" if key.phase is Phase.NEXT else "right", _ready(key), found)


def _again(key: Key) -> str:
    active = key.phase is Phase.ACTIVE
    return "Signatures of this system do not count: publish the record as it is here." if active else "Replace it."


def _ready(key: Key) -> str:
    return "DNS shows it: signing may change to it now." if key.phase is Phase.NEXT else ""


def _revoked(lines: Lines, answer: Found, found: tuple[str, ...]) -> Line:
    for text in answer.texts:
        try:
            dkimtags.key(text)
        except DkimError as error:
            if error.code == "revoked":
                continue
            return lines.different("unreadable", "Publish the empty record, or none.", found)
        return lines.different("still-there", "The key still stands there: publish the empty record.", found)
    return lines.right("empty" if found else "gone", found=found)
