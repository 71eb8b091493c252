"""The key each log is signed with: the organisation's signing key; the house's own for what belongs to none.

Which version signs is what the log says (`audit.sequencer`): a new one from the leaf on that introduced it."""

from functools import lru_cache

from carepost.audit import sequencer
from carepost.audit.sequencer import Signers
from carepost.ground.errors import NotFound
from carepost.ground.keys import PurposeKeys
from carepost.proof.kinds import HOUSE_ORG
from carepost.proof.note import SignerKey
from carepost.queue.sealing import OrgKeyBook

SIGNING = "signing"
#: the version a log begins with
_FIRST = 1


def signers(book: OrgKeyBook, keys: PurposeKeys) -> Signers:
    """Raises Unavailable while the office database cannot be read, NotFound for an organisation without a key, or for a
    key that is none of its versions."""

    @lru_cache(maxsize=4096)
    def made(org: bytes, seed: bytes) -> SignerKey:
        return SignerKey(sequencer.origin(org), seed)

    @lru_cache(maxsize=4096)
    def named(org: bytes, key: str) -> SignerKey:
        newest = book.current(org, SIGNING)[0]
        # the newest is remembered for a while: one introduced just now stands after it
        for version in (*range(newest, 0, -1), newest + 1, newest + 2):
            try:
                found = made(org, book.version(org, SIGNING, version))
            except NotFound:
                continue
            if found.verifier.text == key:
                return found
        raise NotFound("The key that signs this log is none of the organisation's; run: carepost audit verify")

    def of(org: bytes, key: str) -> SignerKey:
        if org == HOUSE_ORG:
            return made(org, keys.raw(SIGNING, b"house"))
        return named(org, key) if key else made(org, book.version(org, SIGNING, _FIRST))

    return of
