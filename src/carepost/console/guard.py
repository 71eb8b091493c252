"""What becomes of errors in a console view: absent and forbidden are one page, a busy engine says so, with a number."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve

from carepost.ground import ids, log
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.tenancy.gates import View


def shielded(view: View) -> View:
    """Inside `@permission`."""

    @functools.wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except NotFound:
            raise Http404 from None
        except Refused as refused:
            return notice(request, "That is not possible", refused.public, refused.status)
        except Unavailable as error:
            number = ids.text(ids.new())
            log.failure("console-unavailable", error, error_id=number)
            text = "A part of Carepost does not answer just now. Mail goes on. Look at Health, and try again."
            return notice(request, "Not just now", text, 503, number)

    return answered


class Reachable:
    """Middleware of the console: an address that only takes a form leads whoever merely opens it (a reload, “Go back”
    on a notice) to the nearest page above it, never to an empty one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # the API answers machines, under URLs of its own
        if response.status_code != 405 or request.method != "GET" or hasattr(request, "urlconf"):
            return response
        return HttpResponseRedirect(_above(request.path))


def _above(path: str) -> str:
    while path := path.rpartition("/")[0]:
        try:
            resolve(path)
        except Resolver404:
            continue
        return path
    return "/"


def notice(
    request: HttpRequest, title: str, text: str, status: int, error_id: str = "", *, back: str = "", label: str = ""
) -> HttpResponse:
    """A page of one sentence and the way on."""
    again = "Go back" if request.method == "POST" else "Try again"
    context = {
        "title": title, "text": text, "error_id": error_id, "back": back or request.path, "back_label": label or again,
    }  # fmt: skip
    return render(request, "console/notice.html", context, status=status)
