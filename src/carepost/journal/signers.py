"""The key each log is signed with: the organisation's signing key; the house's own for what belongs to none."""

from functools import lru_cache

from carepost.audit import sequencer
from carepost.audit.sequencer import Signers
from carepost.ground.keys import PurposeKeys
from carepost.proof.kinds import HOUSE_ORG
from carepost.proof.note import SignerKey
from carepost.queue.sealing import OrgKeyBook

SIGNING = "signing"


def signers(book: OrgKeyBook, keys: PurposeKeys) -> Signers:
    """Raises Unavailable while the office database cannot be read, NotFound for an organisation without a key."""

    @lru_cache(maxsize=4096)
    def made(org: bytes, seed: bytes) -> SignerKey:
        return SignerKey(sequencer.origin(org), seed)

    def of(org: bytes) -> SignerKey:
        seed = keys.raw(SIGNING, b"house") if org == HOUSE_ORG else book.current(org, SIGNING)[1]
        return made(org, seed)

    return of
