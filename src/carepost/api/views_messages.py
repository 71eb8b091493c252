"""Messages: one with its deliveries, its proofs."""

from uuid import UUID

from django.http import HttpResponse

from carepost.api import answers
from carepost.api.answers import ProblemError
from carepost.api.gate import ApiRequest, scoped
from carepost.archive import proof as proofs
from carepost.archive.access import access_message
from carepost.tenancy.permissions import Scope


@scoped(Scope.MESSAGES)
def message(request: ApiRequest, message: UUID) -> HttpResponse:
    return answers.json(access_message(request.caller.org.bytes, message.bytes, request.caller.actor))


@scoped(Scope.PROOF)
def proof(request: ApiRequest, message: UUID) -> HttpResponse:
    caller = request.caller
    made = proofs.build(caller.org.bytes, message.bytes, _delivery(request).bytes, caller.actor)
    answer = HttpResponse(made, content_type="application/json")
    answer["Content-Disposition"] = 'attachment; filename="carepost-proof.json"'
    return answer


def _delivery(request: ApiRequest) -> UUID:
    try:
        return UUID(request.GET.get("delivery", ""))
    except ValueError:
        raise ProblemError(422, "invalid", "Name the delivery: ?delivery=<its id>.") from None
