"""Whether an address may be written to: the directory holds tokens, never addresses."""

from carepost.directory.suppressed import HARD, SCOPES, Suppressed
from carepost.directory.types import OrgSnapshot
from carepost.ground import clock
from carepost.intake.addresses import Tokens
from carepost.policy.types import Category, Kind, Ternary


class Suppression:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def look(
        self,
        snapshot: OrgSnapshot,
        address: str,
        category: Category = Category.TRANSACTIONAL,
        kind: Kind = Kind.MESSAGE,
    ) -> Ternary:
        """UNKNOWN where the index key cannot be opened: then the decision holds the delivery. What the system itself
        has to say (notices, codes, reports) is kept back only from an address that is no good."""
        listed = snapshot.suppressed
        if not listed:
            return Ternary.NO
        tokens = self._tokens.of(snapshot, address)
        if tokens is None:
            return Ternary.UNKNOWN
        bit = HARD if kind is not Kind.MESSAGE else SCOPES.get(category.value, HARD)
        for token in tokens:
            if listed.covers(token, bit, clock.now()) if isinstance(listed, Suppressed) else token in listed:
                return Ternary.YES
        return Ternary.NO
