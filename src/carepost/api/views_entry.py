"""What needs no key: the published keys of the logs."""

from django.http import HttpRequest, HttpResponse

from carepost.archive.store import store
from carepost.audit import reader
from carepost.tenancy.gates import open_to_all


@open_to_all("log keys are published, so that strangers can verify proofs")
def log_keys(request: HttpRequest) -> HttpResponse:
    """One verifier key a line (C2SP), of every log of this installation."""
    log = store()
    lines = [key.text for org in reader.organisations(log) for key in reader.keys(log, org)]
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")
