"""Proof files out of the log (DESIGN 4), for whoever may have them."""

from carepost.archive import acts, books
from carepost.archive.store import store
from carepost.audit import reader
from carepost.ground import ids
from carepost.proof import kinds
from carepost.tenancy.permissions import Permission
from carepost.wire.types import Actor


def build(org: bytes, message: bytes, delivery: bytes, actor: Actor) -> bytes:
    """The proof file of one delivery. Raises NotFound (absent, another organisation's, forbidden, or its events are
    still on their way), crypto.rest.Damaged."""
    acts.allowed(org, actor, Permission.PROOF)
    made = reader.proof(store(), org, ids.text(message), ids.text(delivery), books.opener().openings)
    acts.record(kinds.PROOF_EXPORTED, org, actor, on=[ids.text(message), ids.text(delivery)])
    return made
