"""What every view that acts has in common: the reason that was given, and the way back with a sentence."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from carepost.console.guard import notice
from carepost.ground import ids
from carepost.ground.errors import Refused
from carepost.tenancy.gates import StaffRequest

#: characters of a reason
LONGEST = 500


def reason(request: StaffRequest) -> str:
    """As given with the button; "" where none was."""
    return str(request.POST.get("reason", "")).strip()[:LONGEST]


def needed(request: StaffRequest, kept_with: str = "event") -> str:
    """The reason of an act whose page asked for one. Raises Refused where it is missing."""
    given = reason(request)
    if not given:
        raise Refused("reason-needed", f"Say why; it is kept with the {kept_with}.", status=422)
    return given


def confirm(back: str) -> HttpResponse:
    """To the page where a second factor is shown once more, and from there to `back`."""
    return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': back})}")


def done(request: StaffRequest, sentence: str, to: str, *args: object) -> HttpResponse:
    """Back to a page that says what was done."""
    messages.success(request, sentence, extra_tags="console")
    return redirect(to, *args)


def mark(request: HttpRequest) -> str:
    """Of the page the form stands on: however often it is sent from there, it is one act."""
    return str(request.POST.get("page", ""))[:60] or ids.text(ids.new())


def made_already(request: StaffRequest, title: str, then: str, to: str, *args: object, label: str) -> HttpResponse:
    """Instead of a second secret. `then`: how to make another; `to`, `label`: the page where that is done."""
    text = (
        "The form was sent a second time from the same page, so nothing more was made. What the first made was shown "
        f"then; it is kept nowhere and cannot be shown again. {then}"
    )
    return notice(request, title, text, 409, back=reverse(to, args=args), label=label)
