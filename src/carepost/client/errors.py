"""What a call can end in besides its answer."""

from carepost.wire.rest import Fault, Problem


class ApiError(Exception):
    """The server answered with a problem (RFC 9457). `status`, `code` (the last word of its type), `detail`, `errors`
    (where, and what); nothing of what was sent."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.status = problem.status
        self.code = problem.type.rpartition(":")[2]
        self.detail = problem.detail
        self.errors: tuple[Fault, ...] = problem.errors
        where = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in problem.errors)
        super().__init__(
            " ".join(part for part in (f"{problem.status} {problem.title}.", problem.detail, where) if part)
        )


class Unreachable(Exception):
    """No answer within the tries and the time allowed. Of a send: nobody knows whether it was accepted; sending it
    again under the same idempotency key is safe."""
