"""Write: a message with a live look at how each recipient's copy will be protected, and why. What is written is kept as
a sealed draft of whoever writes it, so that neither an ended session nor a refused sending loses it."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from carepost.console import writing
from carepost.console.guard import notice, shielded
from carepost.console.write_form import WriteForm
from carepost.console.writing import Outlook
from carepost.drafts import acts, select
from carepost.drafts.types import File, FileHead, Written
from carepost.ground import clock, ids
from carepost.ground.errors import NotFound, Refused, Unavailable
from carepost.mailbox.content import file_kind, safe_name
from carepost.tenancy.gates import StaffRequest, permission
from carepost.tenancy.permissions import Permission
from carepost.ui.uploads import TOO_LARGE

#: microseconds between two savings of what is saved by itself while somebody types
EVERY: Final = 15_000_000
#: header of a live look: whether all that was sent is kept now
SAVED: Final = "Carepost-Saved"
DRAFT: Final = "Carepost-Draft"
_STALE: Final = (
    "The page was open too long, somebody signed in or out meanwhile in this browser, or the form came from elsewhere. "
    "What you typed is still on the page before: go back in your browser to copy it, then open the page anew and send "
    "it once more."
)
_LOST: Final = "Nothing answers just now, so nothing was sent. What you wrote is kept; try again in a moment."
_GONE: Final = (
    "It was sent, or it was discarded, or it is not yours. What was sent stands in the list of messages; it is not "
    "sent a second time from here."
)
_AGAIN: Final = (
    "This message was sent already, as it stood then; it is in the list of messages. To send something else, begin a "
    "new message."
)


def kept(request: HttpRequest) -> HttpResponse:
    """Whoever sends the form without a session, or with an old page's token: nothing is done, and what was written is
    given back to the one who wrote it."""
    form = WriteForm(request.POST)
    files = bool(request.FILES)
    return render(
        request, "console/write-kept.html", {"form": form, "draft": _draft(request), "files": files}, status=403
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A page without an echo of the request; but whoever wrote a message gets it back, and nothing is done."""
    if request.path == reverse("console:write"):
        return kept(request)
    return notice(request, "Nothing was done", _STALE, 403, label="Open the page anew")


def _kept_or_sign_in(request: HttpRequest) -> HttpResponseBase | None:
    return kept(request) if request.method == "POST" else None


@require_http_methods(["GET", "HEAD", "POST"])
@permission(Permission.SEND, signed_out=_kept_or_sign_in)
@shielded
def write(request: StaffRequest, draft: UUID | None = None) -> HttpResponse:
    if request.method == "POST":
        return _do(request)
    if draft is None:
        return _page(request, WriteForm(), "", drafts=True)
    try:
        found = select.access_draft(request.desk.org, draft, request.desk.actor)
    except NotFound:
        # most often Back after Send
        return notice(request, "This draft is not here", _GONE, 404, back=reverse("console:write"), label="Write")
    form = WriteForm({name: getattr(found.written, name) for name in Written.__struct_fields__})
    form.is_valid()
    files = select.files(request.desk.org, draft, request.desk.actor)
    return _page(request, form, found.id, outlook=_outlook(request, found.written, files, ""))


@require_POST
@permission(Permission.SEND)
@shielded
def look(request: StaffRequest) -> HttpResponse:
    """While somebody types: the outlook alone. What was typed is kept, but not at every letter."""
    form = WriteForm(request.POST)
    form.is_valid()
    written, draft, whole = form.written(), _draft(request), True
    if not written.empty or select.kept(request.desk.org, draft, request.desk.actor):
        draft, whole = _save(request, draft, written, unless_within=EVERY)
    else:
        draft = ""
    outlook = _outlook(request, written, _files(request, draft), form.code_given())
    answer = render(request, "console/write-outlook.html", {"outlook": outlook})
    answer.headers[SAVED] = "yes" if whole else "no"
    answer.headers[DRAFT] = draft
    return answer


def _do(request: StaffRequest) -> HttpResponse:
    """Whatever the button, what was written is kept first."""
    form, draft, do = WriteForm(request.POST), _draft(request), request.POST.get("do", "look")
    if do == "discard":
        return _discard(request, draft)
    if not form.is_valid():
        return _page(request, form, draft, status=422)
    written = form.written()
    uploads = _uploads(request)
    try:
        if uploads or not written.empty or select.kept(request.desk.org, draft, request.desk.actor):
            draft, _ = _save(request, draft, written, files=uploads)
        if request.META.get(TOO_LARGE):
            raise Refused("too-large", "The files of a message may have 20 MB together.")
        if do.startswith("remove:"):
            acts.drop_file(request.desk.org, UUID(draft), UUID(do[7:]), actor=request.desk.actor)
    except (Refused, ValueError) as error:
        form.add_error(None, error.public if isinstance(error, Refused) else "There is no such file.")
        return _page(request, form, draft, status=422)
    files, code = _files(request, draft), form.code_given()
    outlook = _outlook(request, written, files, code)
    if do == "send" and _may_go(form, written, files, outlook):
        return _send(request, form, draft, files, outlook)
    return _page(request, form, draft, outlook=outlook, status=422 if do == "send" else 200)


def _may_go(form: WriteForm, written: Written, files: tuple[File, ...], outlook: Outlook) -> bool:
    if outlook.unread:
        form.add_error("to", "An address in To, Cc or Bcc is not complete, so nothing was sent.")
    elif not outlook.rows and not outlook.refused:
        form.add_error("to", "Name at least one recipient.")
    if not (written.subject.strip() or written.text.strip() or files):
        form.add_error("text", "There is nothing to send yet.")
    if outlook.refused:
        form.add_error(None, outlook.refused)
    elif outlook.needs_reason:
        form.add_error("reason", "A rule asks why this is sent. Nothing was sent yet.")
    elif outlook.stopped:
        form.add_error(None, "Nothing was sent: the message cannot go to one of its recipients. See below.")
    return not form.errors


def _send(
    request: StaffRequest, form: WriteForm, draft: str, files: tuple[File, ...], outlook: Outlook
) -> HttpResponse:
    desk = request.desk
    try:
        accepted = writing.hand_over(desk, form.written(), files, form.code_given(), draft)
    except Unavailable:
        form.add_error(None, _LOST)
        return _page(request, form, draft, outlook=outlook, status=503)
    except Refused as error:
        form.add_error(None, _AGAIN if error.code == "idempotency-key-reused" else error.public)
        return _page(request, form, draft, outlook=outlook, status=422)
    acts.sent(desk.org, UUID(draft), accepted.message_id, actor=desk.actor)
    messages.success(request, writing.told(outlook, accepted), extra_tags="console")
    if desk.may(Permission.READ):
        return redirect("console:message", accepted.message_id)
    return redirect("console:write")


def _discard(request: StaffRequest, draft: str) -> HttpResponse:
    if draft:
        acts.discard(request.desk.org, UUID(draft), actor=request.desk.actor)
    messages.success(request, "The draft is gone.", extra_tags="console")
    return redirect("console:write")


def _save(
    request: StaffRequest,
    draft: str,
    written: Written,
    *,
    files: list[tuple[FileHead, bytes]] | None = None,
    unless_within: int = 0,
) -> tuple[str, bool]:
    desk = request.desk
    made, done = acts.save(
        desk.org, written, actor=desk.actor, draft=UUID(draft) if draft else None, files=files or (),
        unless_within=unless_within,
    )  # fmt: skip
    return str(made), done


def _uploads(request: StaffRequest) -> list[tuple[FileHead, bytes]]:
    found = []
    for file in request.FILES.getlist("files"):
        if file.size:
            found.append((FileHead(safe_name(file.name or ""), file_kind(file.content_type or "")), file.read()))
    return found


def _files(request: StaffRequest, draft: str) -> tuple[File, ...]:
    if not draft:
        return ()
    try:
        return select.files(request.desk.org, UUID(draft), request.desk.actor)
    except NotFound:
        return ()


def _heads(request: StaffRequest, draft: str) -> tuple[File, ...]:
    if not draft:
        return ()
    try:
        return select.heads(request.desk.org, UUID(draft), request.desk.actor)
    except NotFound:
        return ()


def _outlook(request: StaffRequest, written: Written, files: tuple[File, ...], code: str) -> Outlook:
    try:
        return writing.outlook(request.desk, written, files, code)
    except Unavailable:
        return Outlook(refused="Nothing answers just now, so it is not known how the message would go.")


def _draft(request: HttpRequest) -> str:
    """The id in the form, "" where none stands there or it is none."""
    try:
        return str(UUID(request.POST.get("draft", "")))
    except ValueError:
        return ""


def _page(
    request: StaffRequest,
    form: WriteForm,
    draft: str,
    *,
    outlook: Outlook | None = None,
    drafts: bool = False,
    status: int = 200,
) -> HttpResponse:
    desk = request.desk
    files = _heads(request, draft)
    context = {
        "form": form,
        # a page of its own id before anything is kept: however often Send is pressed, it is one message
        "draft": draft or ids.text(ids.new()),
        "saved": select.kept(desk.org, draft, desk.actor),
        "files": files,
        "octets": sum(file.size for file in files),
        "most_files": acts.MOST_FILES,
        "most_octets": acts.MOST_OCTETS,
        "outlook": outlook or Outlook(),
        "sender": writing.sender(desk),
        "own": desk.staff.email,
        "reason": bool(outlook and outlook.needs_reason) or bool(form["reason"].value()),
        "code": bool(form["code"].value()),
        "more": any(form[name].value() or form[name].errors for name in ("bcc", "reply_to")),
        "drafts": select.listing(desk.org, desk.actor) if drafts else (),
        "now": clock.now(),
        "back": reverse("console:write"),
    }
    return render(request, "console/write.html", context, status=status)
