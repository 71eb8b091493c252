"""Links and the picture by which an organisation learns that a copy was opened or a link followed: put into a copy that
may carry them, before DKIM. Nobody's mail is marked but that of organisations that turned it on, category by category.

Never marked, whatever is set: what is encrypted, signed by its sender or waits in the portal; notices, reports and mail
of mail systems behind us; text classed as protected beyond the ordinary, or found to be about a person's health; what a
rule, the message or the link itself excepts."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import urlsplit

import msgspec

from carepost.crypto import link_token
from carepost.crypto.link_token import Link, Use
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.policy import rules
from carepost.policy.content import Level
from carepost.policy.types import DataClass, Facts, Kind
from carepost.queue.types import Claim, MessageRecord
from carepost.rfc import htmlpart, links
from carepost.wire.types import Origin

#: octets of a message above which it is read in a thread; above the second it is left alone
LARGE: Final = 64 * 1024
LARGEST: Final = 4 * 1024 * 1024
_ORIGINS: Final = frozenset({Origin.API.value, Origin.CAMPAIGN.value, Origin.SMTP.value, Origin.CONSOLE.value})
_CLASSES: Final = frozenset({DataClass.ORDINARY.value, DataClass.NONE_ATTESTED.value})
#: what was found must not be about somebody's health; what was looked at without an answer counts as if it were
_QUIET: Final = frozenset({Level.UNKNOWN, Level.PHI_LIKELY, Level.PHI_HIGH})
#: words of addresses by which people leave a list
_LEAVING: Final = ("unsubscrib", "optout", "opt-out", "opt_out")
OFF, ASKED, ON = "off", "asked", "on"


class Marks(msgspec.Struct, frozen=True):
    """What one copy is marked with."""

    opens: bool
    clicks: bool


class Keys(Protocol):
    """`intake.returns.Returns`."""

    def link_key(self, snapshot: OrgSnapshot) -> tuple[int, bytes] | None: ...


#: one link or picture of the copy -> its address
Write = Callable[[Use, int, int, bool, str], str]


def wanted(snapshot: OrgSnapshot, message: MessageRecord, claim: Claim, facts: Facts) -> Marks | None:
    """None: the copy leaves as it is."""
    setting = snapshot.tracking.get(message.category)
    if setting is None or message.origin not in _ORIGINS or message.gateway or message.forwarder or message.test:
        return None
    if message.kind != Kind.MESSAGE.value or message.data_class not in _CLASSES:
        return None
    if claim.record.content is not None and claim.record.content.level in _QUIET:
        return None
    plan = claim.record.plan
    if (plan is not None and plan.untracked) or rules.effect(facts).untracked_by:
        return None
    asked = message.tracking
    opens = _on(setting.opens, asked.opens if asked is not None else None)
    clicks = _on(setting.clicks, asked.clicks if asked is not None else None)
    return Marks(opens, clicks) if opens or clicks else None


async def marked(
    keys: Keys, snapshot: OrgSnapshot, message: MessageRecord, claim: Claim, body: bytes, marks: Marks
) -> tuple[bytes, str]:
    """(`body` with what `marks` says, the words of what it carries), or (`body`, "") where nothing could be put in."""
    base = _base(snapshot, message.header_from)
    found = keys.link_key(snapshot) if base else None
    if found is None or len(body) > LARGEST:
        return body, ""
    number, key = found
    made = clock.now() // 1_000_000

    def write(use: Use, link: int, links: int, decoy: bool, target: str) -> str:
        said = Link(claim.delivery, made, link, links, decoy, bool(links), target)
        return f"{base}/{use[0]}/{link_token.make(key, use, snapshot.id, said, number)}"

    own = frozenset(filter(None, (urlsplit(base).netloc.lower(), urlsplit(snapshot.portal_url).netloc.lower())))
    if len(body) > LARGE:
        return await asyncio.to_thread(_put, body, marks, write, own)
    return _put(body, marks, write, own)


def _put(body: bytes, marks: Marks, write: Write, own: frozenset[str]) -> tuple[bytes, str]:
    found = htmlpart.find(body)
    if found is None:
        return body, ""
    page = links.read(found.page, found.charset)
    leaving = _leaving(body)
    numbers: dict[str, int] = {}
    for anchor in page.anchors if marks.clicks else ():
        if _followed(anchor.target, own, leaving):
            numbers.setdefault(anchor.target, len(numbers) + 1)
    if not numbers and not marks.opens:
        return body, ""
    total = len(numbers)
    written = {target: write("click", number, total, False, target) for target, number in numbers.items()}
    added = ""
    if total:
        # no person sees or reaches it; what follows every link does
        decoy = write("click", 0, total, True, "")
        added += f'<a href="{decoy}" rel="nofollow" tabindex="-1" aria-hidden="true" style="display:none"></a>'
    if marks.opens:
        picture = write("open", 0, total, False, "")
        added += f'<img src="{picture}" width="1" height="1" alt="" role="presentation" style="border:0">'
    changed = links.replace(found.page, page, lambda anchor: written.get(anchor.target, ""), added.encode())
    made = htmlpart.put(body, found, changed)
    if made is None:
        return body, ""
    return made, " ".join(word for word, is_on in (("opens", marks.opens), ("clicks", total)) if is_on)


def _on(setting: str, asked: bool | None) -> bool:
    """The message may say no to what is on, and yes only where the organisation lets messages ask."""
    if setting == ON:
        return asked is not False
    return setting == ASKED and asked is True


def _base(snapshot: OrgSnapshot, header_from: str) -> str:
    """The tracking host of the From domain; without one the organisation's own portal address."""
    domain = header_from.rpartition("@")[2]
    host = snapshot.tracking_hosts.get(domain)
    return f"https://{host}" if host else snapshot.portal_url.rstrip("/")


def _followed(target: str, own: frozenset[str], leaving: str) -> bool:
    """Links to the portal, of ours, and those by which people leave a list stay what they are."""
    if len(target) > link_token.MAX_TARGET or urlsplit(target).netloc.lower() in own:
        return False
    lower = target.lower()
    return lower not in leaving and not any(word in lower for word in _LEAVING)


def _leaving(body: bytes) -> str:
    """The List-Unsubscribe field, lower case, unfolded."""
    end = body.find(b"\r\n\r\n")
    head = (b"\r\n" + body[: end if end >= 0 else len(body)]).lower()
    at = head.find(b"\r\nlist-unsubscribe:")
    if at < 0:
        return ""
    lines = head[at + 2 :].split(b"\r\n")
    count = next((n for n, line in enumerate(lines[1:], 1) if line[:1] not in (b" ", b"\t")), len(lines))
    return b"".join(line.strip() for line in lines[:count]).decode("latin-1")
