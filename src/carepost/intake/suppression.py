"""Whether an address may be written to: the directory holds tokens, never addresses."""

from carepost.directory.types import OrgSnapshot
from carepost.intake.addresses import Tokens
from carepost.policy.types import Ternary


class Suppression:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def look(self, snapshot: OrgSnapshot, address: str) -> Ternary:
        """UNKNOWN where the index key cannot be opened: then the decision holds the delivery."""
        if not snapshot.suppressed:
            return Ternary.NO
        token = self._tokens.of(snapshot, address)
        if token is None:
            return Ternary.UNKNOWN
        return Ternary.YES if token in snapshot.suppressed else Ternary.NO
