"""What becomes of errors in a console view: absent and forbidden are one page, a busy engine says so, with a number."""

import functools
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render

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
            return _notice(request, "That is not possible", refused.public, refused.status)
        except Unavailable as error:
            number = ids.text(ids.new())
            log.failure("console-unavailable", error, error_id=number)
            text = "A part of Carepost does not answer just now. Mail goes on. Look at Health, and try again."
            return _notice(request, "Not just now", text, 503, number)

    return answered


def _notice(request: HttpRequest, title: str, text: str, status: int, error_id: str = "") -> HttpResponseBase:
    context = {"title": title, "text": text, "error_id": error_id, "back": request.path, "back_label": "Try again"}
    return render(request, "console/notice.html", context, status=status)
