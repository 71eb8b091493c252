"""From the link to the proof: pages that say whom a message is for, take a code or an answer, and open a session."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carepost.engagement import asking, sessions
from carepost.ground import clock
from carepost.ground.errors import NotFound
from carepost.mailbox import access, challenges
from carepost.mailbox import door as engine
from carepost.mailbox.mask import mask
from carepost.mailbox.models import READABLE, Deposit
from carepost.mailbox.refusals import Ended, Locked, NoCode, TooSoon, WrongProof, WrongWay
from carepost.mailbox.sessions import Opened
from carepost.mailbox.texts import About
from carepost.portal.guest import Guest, client_of, cookie_name, device_of, office_of, page, set_cookie


@require_safe
@page
def door(request: Guest, link: str) -> HttpResponse:
    """What a link shows: whom it is for and how to go on. A scanner may fetch it any number of times (BI-093),
    by HEAD too: one that is refused there calls the link broken."""
    row = _open(link)
    if request.guest is not None and request.guest.level(row):
        return redirect("portal:read", link)
    return _door(request, row)


@page
def unknown(request: Guest, rest: str) -> HttpResponse:
    """Everything that is no address of ours, broken links first of all."""
    raise NotFound


@require_POST
@page
def send_code(request: Guest, link: str) -> HttpResponse:
    row = _open(link)
    try:
        challenges.send_code(row, door=engine.client(), client=client_of(request))
    except TooSoon:
        pass  # the page says how long to wait
    except WrongWay:
        return redirect("portal:door", link)
    return redirect("portal:code", link)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def code(request: Guest, link: str) -> HttpResponse:
    row = _open(link)
    if row.proof != "none":
        return redirect("portal:door", link)
    if request.method != "POST":
        return _code(request, row)
    given = request.POST.get("code", "")[:40]
    if not given.strip():
        return _code(request, row, _problem("Enter the code", "The field was empty. The code has 6 digits."), 422)
    try:
        opened = challenges.prove_code(
            row,
            given,
            device=device_of(request),
            trusted=request.POST.get("trust") == "1",
            door=engine.client(),
            client=client_of(request),
            cookie=request.COOKIES.get(cookie_name(), ""),
        )
    except WrongProof as wrong:
        text = "Check the newest e-mail and enter all 6 digits." if wrong.left else "Ask for a new code below."
        return _code(request, row, _problem("That is not the code", text), 422)
    except NoCode:
        return _code(request, row, _problem("That code does not work any more", "Ask for a new code below."), 422)
    return _enter(request, row, opened)


@require_POST
@page
def question(request: Guest, link: str) -> HttpResponse:
    row = _open(link)
    if row.proof != "question":
        return redirect("portal:door", link)
    return _question(request, row)


@require_POST
@page
def prove(request: Guest, link: str) -> HttpResponse:
    """The access code, or the answer, agreed beforehand."""
    row = _open(link)
    if row.proof == "none":
        return redirect("portal:door", link)
    again = _question if row.proof == "question" else _door
    given = request.POST.get("answer", "")[:200]
    if not given.strip():
        return again(request, row, _problem("The field was empty", "Please fill it in."), 422)
    try:
        opened = challenges.prove_access(
            row,
            given,
            device=device_of(request),
            door=engine.client(),
            client=client_of(request),
            cookie=request.COOKIES.get(cookie_name(), ""),
        )
    except WrongProof:
        what = "answer" if row.proof == "question" else "access code"
        return again(request, row, _problem(f"That is not the {what}", "Please check it and try again."), 422)
    return _enter(request, row, opened)


@require_http_methods(["GET", "HEAD", "POST"])
@page
def help_(request: Guest, link: str) -> HttpResponse:
    return _speak_up(request, link, About.HELP, "portal/help.html")


@require_http_methods(["GET", "HEAD", "POST"])
@page
def not_me(request: Guest, link: str) -> HttpResponse:
    return _speak_up(request, link, About.NOT_ME, "portal/not-me.html")


def _speak_up(request: Guest, link: str, about: About, template: str) -> HttpResponse:
    row = access.deposit_of(link)
    done = request.method == "POST"
    if done:
        challenges.speak_up(row, about, door=engine.client(), client=client_of(request))
    return render(request, template, _context(request, row) | {"done": done})


def _enter(request: Guest, row: Deposit, opened: Opened) -> HttpResponse:
    address, _ = asking.client(request)
    sessions.opened(row.org_id.bytes, access.masked_source(row), address, request.headers.get("User-Agent", ""))
    response = redirect("portal:read", row.link)
    set_cookie(response, opened)
    return response


def _open(link: str) -> Deposit:
    """Raises NotFound, Ended, Locked: the same for everybody, proved or not."""
    row = access.deposit_of(link)
    now = clock.now()
    if row.state not in READABLE:
        raise Ended(row.state)
    if row.expires_at <= now:
        raise Ended("expired")
    if row.locked_until > now:
        raise Locked(row.locked_until)
    return row


def _door(request: Guest, row: Deposit, problem: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
    standing = challenges.standing(row)
    if standing.locked_until:
        raise Locked(standing.locked_until)
    context = _context(request, row) | {
        "problem": problem,
        "tries_left": standing.tries_left,
        "has_code": standing.challenge is not None,
        "other": request.guest is not None and request.guest.recipient != row.recipient_id,
    }
    return render(request, "portal/door.html", context, status=status)


def _code(request: Guest, row: Deposit, problem: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
    standing = challenges.standing(row)
    if standing.locked_until:
        raise Locked(standing.locked_until)
    context = _context(request, row) | {
        "problem": problem,
        "challenge": standing if standing.challenge else None,
        "tries_left": standing.tries_left,
        "codes_left": standing.codes_left,
        "codes_again_at": standing.codes_again_at,
        "wait": standing.wait,
    }
    return render(request, "portal/code.html", context, status=status)


def _question(request: Guest, row: Deposit, problem: dict[str, str] | None = None, status: int = 200) -> HttpResponse:
    context = _context(request, row) | {
        "question": challenges.question(row),
        "problem": problem,
        "tries_left": challenges.standing(row).tries_left,
    }
    return render(request, "portal/question.html", context, status=status)


def _context(request: Guest, row: Deposit) -> dict[str, Any]:
    return {
        "office": office_of(row),
        "session": request.guest,
        "link": row.link,
        "proof": row.proof,
        "masked": mask(access.masked_source(row)),
        "expires_at": row.expires_at,
        "left": (row.expires_at - clock.now()) / 1_000_000,
    }


def _problem(heading: str, text: str) -> dict[str, str]:
    return {"heading": heading, "text": text}
