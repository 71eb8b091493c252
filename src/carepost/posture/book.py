"""Posture: what the engine has seen of domains, answered from memory, kept on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from carepost.ground import clock
from carepost.ground.keys import PurposeKeys
from carepost.policy.types import Seen
from carepost.posture import judge
from carepost.posture.reading import Neighbours
from carepost.posture.store import Store
from carepost.posture.tallies import Tallies
from carepost.posture.types import Day, Failure, Measured, Policy, Record, Side, StoredPolicy

#: domains in memory; others are read again from disk
REMEMBERED = 50_000
#: seconds after which the other engines' files are read again about a domain
NEWS = 1.0


class Keep(Protocol):
    """Where records go; `store.Store`, or nothing for throw-away worlds."""

    def load(self, domain: str) -> Record | None: ...

    def save(self, record: Record) -> None: ...

    def save_day(self, day: Day) -> None: ...

    def save_reported(self, name: str, day: int) -> None: ...

    def reported(self, name: str) -> bool: ...

    def close(self) -> None: ...


class Posture:
    """One an engine. All methods on the engine's loop; none waits."""

    def __init__(self, keep: Keep | None = None, neighbours: Neighbours | None = None) -> None:
        self._keep = keep
        self._neighbours = neighbours
        self._records: dict[str, Record] = {}
        #: when the neighbours were last asked about a domain (seconds, monotonic)
        self._asked: dict[str, float] = {}
        self._tallies = Tallies(keep.save_day if keep is not None else lambda _: None)
        self._version = 1

    @classmethod
    def open(cls, folder: Path, keys: PurposeKeys, neighbours: Sequence[Path] = ()) -> "Posture":
        """`posture.db` in the shard's `folder`; `neighbours`: the folders of the home's other shards, read only.
        Keys: purposes evidence and index."""
        others = Neighbours(neighbours, keys) if neighbours else None
        return cls(Store(folder / "posture.db", keys), others)

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
        """STARTTLS was seen there at some time, by any engine of this home: never clear text again (DESIGN 3). The
        neighbours are asked anew: this is the last look before clear text."""
        if self._find(domain).starttls_at:
            return True
        self._asked.pop(domain, None)
        return bool(self._find(domain).starttls_at)

    def record(self, domain: str, measured: Measured) -> str:
        """Takes a measurement in. Answers why the destination is weakened, when it became so just now; else ""."""
        now = clock.now()
        before = self._find(domain)
        after = judge.learn(before, measured, now)
        if after is before or after == before:
            return ""
        was, is_ = judge.weakened(before, now), judge.weakened(after, now)
        if judge.seen(before, now) != judge.seen(after, now) or judge.proved(before) != judge.proved(after):
            self._version += 1
        self._put(after)
        return is_ if is_ != was else ""

    def policy(self, domain: str) -> StoredPolicy | None:
        """The MTA-STS policy last fetched, expired or not."""
        return self._find(domain).policy

    def keep_policy(self, domain: str, policy: StoredPolicy) -> None:
        before = self._find(domain)
        self._put(msgspec.structs.replace(before, policy=policy))

    def side(self, domain: str, host: str, *, pinned: bool = False) -> Side | None:
        """The host as it was last met."""
        sides = self._find(domain).sides
        return next((side for side in sides if side.host == host and side.pinned is pinned), None)

    def count(self, org: bytes, domain: str, policy: Policy, failure: Failure | None = None) -> None:
        """One session, for TLS-RPT; the caller's loop runs."""
        self._tallies.count(org, domain, policy, failure)

    def save_reported(self, name: str, day: int) -> None:
        """A TLS report named so was sent."""
        if self._keep is not None:
            self._keep.save_reported(name, day)

    def reported(self, name: str) -> bool:
        return self._keep is not None and self._keep.reported(name)

    def close(self) -> None:
        self._tallies.flush()
        if self._keep is not None:
            self._keep.close()
        if self._neighbours is not None:
            self._neighbours.close()

    def _find(self, domain: str) -> Record:
        found = self._records.get(domain)
        if found is None:
            found = (self._keep.load(domain) if self._keep is not None else None) or Record(domain)
            self._remember(found)
        if self._neighbours is not None and clock.monotonic() - self._asked.get(domain, float("-inf")) > NEWS:
            found = self._ask(domain, found, self._neighbours)
        return found

    def _ask(self, domain: str, own: Record, neighbours: Neighbours) -> Record:
        """Our record with what the other engines saw besides; kept in memory only, it is on their disks."""
        if len(self._asked) > REMEMBERED:
            self._asked.clear()
        self._asked[domain] = clock.monotonic()
        merged = judge.merge(own, neighbours.load(domain))
        if merged != own:
            now = clock.now()
            if judge.seen(own, now) != judge.seen(merged, now):
                self._version += 1
            self._remember(merged)
        return merged

    def _put(self, record: Record) -> None:
        self._remember(record)
        if self._keep is not None:
            self._keep.save(record)

    def _remember(self, record: Record) -> None:
        self._records.pop(record.domain, None)
        while len(self._records) >= REMEMBERED:
            self._records.pop(next(iter(self._records)))
        self._records[record.domain] = record
