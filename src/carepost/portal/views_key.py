"""A person's own encryption key: what is on file, giving one, proving it by a code, taking it back."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.keyring import uploads, words
from carepost.keyring.reading import MOST_BYTES
from carepost.mailbox import access, notify, offices
from carepost.mailbox import door as engine
from carepost.mailbox.sessions import Session
from carepost.mailbox.within import within
from carepost.portal import pages
from carepost.portal.guest import Guest, page, state
from carepost.ui.uploads import TOO_LARGE

_EMPTY = "Choose the file with your public key, or paste the key."
_LARGE = "This file is too large for a key. A public key has a few kilobytes."
_BUSY = "We could not send you the code just now. Please try again in a minute."
_MAILS = "Several e-mails went to your address just now. Please try again in an hour."
#: by the code of the refusal; of what else is wrong with a key, that and how to go on
_WORDS = {
    "private-key": "This file holds your private key, which nobody else should have. We did not keep it. To be safe "
    "make a new key, and give us only its public part: a .pem, .cer, .p7b or .asc file, never .p12 or .pfx.",
    "no-certificate": "There is no public key in this. Export it from your mail program anew, as .pem, .cer or .p7b "
    "for S/MIME or as .asc for OpenPGP, and choose that file.",
}
_ON = "Ask whoever made your key for one that fits. Until then messages come to these pages, as before."
_DONE = {
    "proved": ("success", "Your key is taken", "It is used within a minute, for messages that have to be encrypted."),
    "removed": ("success", "Your key is taken back", "It is used no more within a minute. Messages come here again."),
    "stopped": ("info", "Nothing was changed", "The key you began to give is not used."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@page
def key(request: Guest) -> HttpResponse:
    session = request.guest
    if session is None:
        return state(request, pages.SIGNED_OUT, 401)
    if request.method != "POST":
        return _form(request, session, done=request.GET.get("done", ""))
    given = request.FILES.get("file")
    data = bytes(given.read(MOST_BYTES + 1)) if given is not None else request.POST.get("text", "").encode()
    if request.META.get(TOO_LARGE) or len(data) > MOST_BYTES:
        return _form(request, session, problem=_LARGE, status=413)
    if not data.strip():
        return _form(request, session, problem=_EMPTY, status=422)
    try:
        return _begin(request, session, data)
    except Refused as refused:
        words = f"{refused.public} {_ON}" if refused.code == "key-not-usable" else refused.public
        return _form(request, session, problem=_WORDS.get(refused.code, words), status=refused.status or 422)
    except Unavailable:
        uploads.forget(UUID(bytes=session.org), session.recipient)
        return _form(request, session, problem=_BUSY, status=503)


@require_POST
@page
def code(request: Guest) -> HttpResponse:
    session = request.guest
    if session is None:
        return state(request, pages.SIGNED_OUT, 401)
    found = uploads.finish(UUID(bytes=session.org), session.recipient, request.POST.get("code", "")[:40])
    if found == "done":
        return redirect(f"{_here()}?done=proved")
    said = "This is not the code. Open the newest e-mail with it in your mail program."
    if found == "over":
        said = "This code does not work any more. Give the key again to get a new one."
    return _form(request, session, problem=said, status=422)


@require_POST
@page
def stop(request: Guest) -> HttpResponse:
    if request.guest is None:
        return state(request, pages.SIGNED_OUT, 401)
    uploads.forget(UUID(bytes=request.guest.org), request.guest.recipient)
    return redirect(f"{_here()}?done=stopped")


@require_POST
@page
def remove(request: Guest, row: UUID) -> HttpResponse:
    session = request.guest
    if session is None:
        return state(request, pages.SIGNED_OUT, 401)
    uploads.take_back(UUID(bytes=session.org), session.recipient, access.own_address(session), row)
    return redirect(f"{_here()}?done=removed")


def _begin(request: Guest, session: Session, data: bytes) -> HttpResponse:
    org = UUID(bytes=session.org)
    begun = uploads.begin(org, session.recipient, access.own_address(session), data)
    name = str(begun.id)
    try:
        sent = notify.send_key_code(
            session.org, session.recipient, name, begun.code, begun.until, begun.sealed, door=engine.client()
        )
    except NotFound:
        sent = False
    if not sent:
        uploads.forget(org, session.recipient)
        return _form(request, session, problem=_MAILS, status=429)
    return redirect("portal:key")


def _here() -> str:
    return redirect("portal:key").headers["Location"]


def _form(request: Guest, session: Session, *, problem: str = "", done: str = "", status: int = 200) -> HttpResponse:
    org, address = UUID(bytes=session.org), access.own_address(session)
    with within(session.org):
        office = offices.office_of(session.org)
    waiting = uploads.waiting(org, session.recipient)
    context: dict[str, Any] = {
        "office": office,
        "session": session,
        "recipient": address,
        "problem": problem,
        "done": _DONE.get(done),
        "waiting": waiting,
        "waiting_words": (words.method(waiting.method), words.grouped(waiting.fingerprint)) if waiting else None,
        "keys": [
            (one, words.method(one.method), words.grouped(one.fingerprint), words.own_source(one.source))
            for one in uploads.on_file(org, session.recipient, address)
        ],
    }
    return render(request, "portal/key.html", context, status=status)
