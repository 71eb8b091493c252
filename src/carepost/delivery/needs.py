"""What one copy requires of a connection: the floor of its step, and what its sender asked. Pure."""

from carepost.delivery import tlsrpt
from carepost.delivery.carried import Need
from carepost.delivery.methods import keyed
from carepost.policy.types import Assurance, Step
from carepost.queue.types import MessageRecord


def needed(
    step: Step,
    message: MessageRecord,
    *,
    least: int = 0,
    weakened: str = "",
    tls_once: bool = False,
    pinned: bool = False,
) -> Need:
    """`least`: of a tenant's own host; `pinned`: what an administrator pinned is let go by nobody else; `weakened`,
    `tls_once`: as `carried.Need`."""
    # what is encrypted to the recipient needs nothing of the connection but what it had before
    floor = Assurance.NONE if step.method in keyed.METHODS else step.floor
    if message.requiretls:
        # RFC 8689 4.2.1: of every copy that goes by SMTP
        floor = max(floor, Assurance.AUTHENTICATED)
    as_is = bool(message.tags) and tlsrpt.carries(message)
    # RFC 8689 4.2.2: a promise of the other side is let go only where the organisation itself lets this copy go with
    # less than a checked name; the header alone lowers nothing
    as_is = as_is or (message.tls_optional and step.floor <= Assurance.ENCRYPTED)
    return Need(max(int(floor), least), weakened, tls_once, as_is and not pinned, message.requiretls)
