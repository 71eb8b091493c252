"""Check a message: paste or upload it, see where it says it has been, who signed it, and what that proves.

Nothing of it is kept. Whether it is one of ours is looked up in history, and that look is an event."""

from typing import Final

import msgspec
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from carepost.archive import matching
from carepost.archive.matching import Ours
from carepost.console.forms import HeaderForm
from carepost.console.guard import shielded
from carepost.crypto import examine, sender
from carepost.crypto.examine import Examined, Finding
from carepost.ground import clock
from carepost.mailbox import door
from carepost.rfc.asking import FAILED, Found, Question, run
from carepost.rfc.errors import RfcError
from carepost.rfc.trail import Hop
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.ui.uploads import TOO_LARGE

#: seconds DNS may take for one page
_SECONDS: Final = 20.0
_HOUR, _DAY = 3600, 86_400
#: rfc.message: more Received lines than are examined
_LOOP: Final = "loop"
_REPEATS: Final = "Its lines repeat: the host that stands in them again and again sends it back to where it came from."
#: hops of a longer trail that stand open at either end; on a telephone forty of them are twelve screens
_ENDS: Final = 4


class _Dns:
    """The engines' resolver, each question once, within a number and a time."""

    def __init__(self) -> None:
        self._until = clock.monotonic() + _SECONDS
        self._known: dict[Question, Found] = {}

    def __call__(self, question: Question) -> Found:
        if question not in self._known:
            over = sender.beyond(self._known, question) or clock.monotonic() > self._until
            self._known[question] = FAILED if over else door.client().ask(question)
        return self._known[question]


class Step(msgspec.Struct, frozen=True):
    """One hop as the page shows it. `delay`: in words, "" where nothing is known."""

    hop: Hop
    delay: str


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.READ)
@shielded
def headers(request: StaffRequest) -> HttpResponse:
    """A POST with no redirect after it: nothing is kept that another page could show."""
    if request.method != "POST":
        return render(request, "console/headers.html", {"form": HeaderForm()})
    form = HeaderForm(request.POST, request.FILES)
    if request.META.get(TOO_LARGE):
        form.add_error("file", "The file is larger than 25 MB.")
    if not form.is_valid():
        return render(request, "console/headers.html", {"form": form}, status=422)
    try:
        found = run(examine.examine(form.raw(), clock.now() // 1_000_000), _Dns())
    except RfcError as error:
        broken = Finding("bad", "Not one message", f"{error.public} Mail programs would disagree about what it says.")
        if error.code == _LOOP:
            broken = Finding("bad", "A mail loop", f"{error.public} {_REPEATS}")
        return render(request, "console/headers.html", {"form": HeaderForm(), "broken": broken}, status=422)
    ours = matching.ours(request.desk.org.bytes, request.desk.actor, found.raw, found.message_id)
    return render(request, "console/headers.html", _context(request, found, ours))


def _context(request: StaffRequest, found: Examined, ours: Ours | None) -> dict[str, object]:
    trail = _trail(found)
    return {
        "form": HeaderForm(),
        "found": found,
        "ours": ours,
        "verdict": _verdict(request, found, ours),
        "trail": trail,
        "middle": len(trail[1]),
        "hops": found.lines,
        "unread": found.lines - len(found.hops),
        "signed": [(one, examine.reason(one), tuple(dict.fromkeys(one.names))) for one in found.proved.dkim],
        "now": clock.now(),
    }


def _trail(found: Examined) -> tuple[list[Step], list[Step], list[Step]]:
    """The first hops, those between, which are folded, and the last; all are the first where there are few."""
    steps = [Step(hop, _delay(hop.delay)) for hop in found.hops]
    if len(steps) <= 3 * _ENDS:
        return steps, [], []
    return steps[:_ENDS], steps[_ENDS:-_ENDS], steps[-_ENDS:]


def _verdict(request: StaffRequest, found: Examined, ours: Ours | None) -> Finding:
    """Ours or not, in one sentence."""
    org = request.desk.org.bytes
    signed = any(one.result == "pass" and matching.own_key(org, one.domain, one.selector) for one in found.proved.dkim)
    if ours is not None and ours.same:
        return Finding("good", "This is one of ours", f"By the records, {ours.words}.")
    if ours is not None:
        text = f"The records know a message with this Message-ID, but {ours.words}."
        return Finding("bad", "Like one of ours, but not the same", text)
    if signed:
        text = "A key of this organisation signed it and the signature holds, but the history here does not know it."
        return Finding("wait", "Signed by us, not in the history", text)
    text = "The history here knows no message with this Message-ID, and no key of this organisation signed it."
    return Finding("plain", "Not one of ours, as far as can be seen", text)


def _delay(delay: int | None) -> str:
    """Before the words "after the one above"."""
    if delay is None:
        return ""
    if delay < 0:
        return f"{_span(-delay)} before, not"
    return _span(delay)


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 2 * _HOUR:
        return f"{seconds // 60} min {seconds % 60} s"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // 60} min"
    return f"{seconds // _DAY:,} days"
