"""Posture: what the engine has seen of domains, answered from memory, kept on disk."""

from pathlib import Path
from typing import Protocol

import msgspec

from carepost.ground import clock
from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Seen
from carepost.posture import judge
from carepost.posture.store import Store
from carepost.posture.types import Measured, Record, StoredPolicy

#: domains in memory; others are read again from disk
REMEMBERED = 50_000


class Keep(Protocol):
    """Where records go; `store.Store`, or nothing for throw-away worlds."""

    def load(self, domain: str) -> Record | None: ...

    def save(self, record: Record) -> None: ...

    def close(self) -> None: ...


class Posture:
    """One a shard. All methods on the engine's loop; none waits."""

    def __init__(self, keep: Keep | None = None) -> None:
        self._keep = keep
        self._records: dict[str, Record] = {}
        self._version = 1

    @classmethod
    def open(cls, folder: Path, keys: PurposeKeys) -> "Posture":
        """`posture.db` in the shard's `folder`. Keys: purposes evidence and index."""
        return cls(Store(folder / "posture.db", keys))

    @property
    def version(self) -> int:
        """Moves whenever `seen` of any domain may answer otherwise than before."""
        return self._version

    def seen(self, domain: str) -> Seen:
        """A domain nobody has looked at: all unknown."""
        return judge.seen(self._find(domain), clock.now())

    def weakened(self, domain: str) -> str:
        """tls-lost | mx-moved | "" (DESIGN 2: not VERIFIED until stable for a day)."""
        return judge.weakened(self._find(domain), clock.now())

    def starttls_once(self, domain: str) -> bool:
        """STARTTLS was seen there at some time: never clear text again (DESIGN 3)."""
        return bool(self._find(domain).starttls_at)

    def record(self, domain: str, measured: Measured) -> str:
        """Takes a measurement in. Answers why the destination is weakened, when it became so just now; else ""."""
        now = clock.now()
        before = self._find(domain)
        after = judge.learn(before, measured, now)
        if after is before or after == before:
            return ""
        was, is_ = judge.weakened(before, now), judge.weakened(after, now)
        if judge.seen(before, now) != judge.seen(after, now):
            self._version += 1
        self._put(after)
        return is_ if is_ != was else ""

    def policy(self, domain: str) -> StoredPolicy | None:
        """The MTA-STS policy last fetched, expired or not."""
        return self._find(domain).policy

    def keep_policy(self, domain: str, policy: StoredPolicy) -> None:
        before = self._find(domain)
        self._put(msgspec.structs.replace(before, policy=policy))

    def close(self) -> None:
        if self._keep is not None:
            self._keep.close()

    def _find(self, domain: str) -> Record:
        found = self._records.get(domain)
        if found is None:
            found = (self._keep.load(domain) if self._keep is not None else None) or Record(domain)
            self._remember(found)
        return found

    def _put(self, record: Record) -> None:
        self._remember(record)
        if self._keep is not None:
            self._keep.save(record)

    def _remember(self, record: Record) -> None:
        self._records.pop(record.domain, None)
        while len(self._records) >= REMEMBERED:
            self._records.pop(next(iter(self._records)))
        self._records[record.domain] = record
