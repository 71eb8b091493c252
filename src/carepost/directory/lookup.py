"""The directory: look-ups are reads of dictionaries that a thread replaces when an epoch moves."""

import threading

import msgspec

from carepost.directory.gateways import Gateway
from carepost.directory.source import Loaded, Source
from carepost.directory.types import ApiKey, Credential, OrgSnapshot
from carepost.ground import clock, ids, log
from carepost.ground.errors import NotFound, Unavailable

#: seconds between looks at the epochs; a revocation must hold within 2 s (DESIGN 2)
EVERY = 0.5
#: seconds without a readable office database after which nothing is accepted or sealed (DESIGN 2)
STALE_AFTER = 60.0


class _Known(msgspec.Struct, frozen=True):
    """One consistent state; replaced as a whole, never changed."""

    loaded: dict[bytes, Loaded] = {}
    credentials: dict[str, Credential] = {}
    api_keys: dict[str, ApiKey] = {}
    owners: dict[str, bytes] = {}
    gateways: tuple[Gateway, ...] = ()


class Directory:
    """Answers from memory. Every look-up raises Unavailable once the source was unreadable for `stale_after`."""

    def __init__(self, source: Source, *, every: float = EVERY, stale_after: float = STALE_AFTER) -> None:
        self._source = source
        self._every = every
        self._stale_after = stale_after
        self._known = _Known()
        self._read_at = float("-inf")
        #: organisations whose rows could not be read, and since when: theirs alone goes stale
        self._unread: dict[bytes, float] = {}
        self._failing = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Reads once, then keeps reading. An unreadable office is no error here: look-ups say Unavailable."""
        self.poll()
        self._thread = threading.Thread(target=self._run, name="directory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._source.close()

    def snapshot(self, org: bytes) -> OrgSnapshot:
        """The organisation as of its newest epoch. Raises NotFound, Unavailable."""
        # `fresh`, asked eight times a message, without the call
        if self._unread or clock.monotonic() - self._read_at > self._stale_after:
            self.fresh(org)
        found = self._known.loaded.get(org)
        if found is None:
            raise NotFound("There is no such organisation.")
        return found.snapshot

    def credential(self, username: str) -> Credential | None:
        self.fresh()
        found = self._known.credentials.get(username)
        if found is not None:
            self.fresh(found.org)
        return found

    def api_key(self, key: str) -> ApiKey | None:
        self.fresh()
        found = self._known.api_keys.get(key)
        if found is not None:
            self.fresh(found.org)
        return found

    def domain_owner(self, domain: str) -> bytes | None:
        """The organisation whose sender domain this is (lower case, A-labels)."""
        self.fresh()
        return self._known.owners.get(domain)

    def gateways(self) -> tuple[Gateway, ...]:
        """The connections of all organisations in front of their mail systems."""
        self.fresh()
        return self._known.gateways

    def epoch(self, org: bytes) -> int:
        """The epoch of what `snapshot` answers; 0 for an organisation that is not there."""
        self.fresh(org)
        found = self._known.loaded.get(org)
        return found.snapshot.epoch if found is not None else 0

    def organisations(self) -> tuple[bytes, ...]:
        return tuple(self._known.loaded)

    def fresh(self, org: bytes | None = None) -> None:
        """Raises Unavailable when nothing (or nothing of `org`) could be read for `stale_after` seconds: a revocation
        might have been missed."""
        now = clock.monotonic()
        since = self._unread.get(org, now) if self._unread and org is not None else now
        if now - self._read_at > self._stale_after or now - since > self._stale_after:
            raise Unavailable("directory-stale", "The office database cannot be read; try again later.")

    def poll(self) -> bool:
        """One look at the source; True when something moved. Called by the thread, and by tests."""
        began = clock.monotonic()
        try:
            moved = self._refresh(self._source.epochs())
        except Exception as error:
            if not self._failing:
                log.failure("directory-unreadable", error)
            self._failing = True
            return False
        if self._failing:
            log.event("directory-readable")
        self._failing = False
        self._read_at = began
        return moved

    def _refresh(self, epochs: dict[bytes, int]) -> bool:
        known = self._known.loaded
        stale = [org for org, epoch in epochs.items() if org not in known or known[org].snapshot.epoch != epoch]
        gone = known.keys() - epochs.keys()
        if not stale and not gone:
            self._unread = {}
            return False
        loaded = {org: one for org, one in known.items() if org not in gone}
        unread: dict[bytes, float] = {}
        for org in stale:
            try:
                loaded[org] = self._source.load(org)
            except NotFound:
                loaded.pop(org, None)
            except Exception as error:
                # one organisation's damaged row must not stop the others; never loaded counts as stale at once
                unread[org] = self._unread.get(org, clock.monotonic() if org in known else float("-inf"))
                if org not in self._unread:
                    log.failure("directory-organisation-unreadable", error, org=ids.text(org))
        self._known, self._unread = _index(loaded), unread
        return True

    def _run(self) -> None:
        while not self._stopping.wait(self._every):
            self.poll()


def _index(loaded: dict[bytes, Loaded]) -> _Known:
    fronts = tuple(gateway for one in loaded.values() for gateway in one.snapshot.gateways)
    known = _Known(loaded, {}, {}, {}, fronts)
    for org, one in loaded.items():
        known.credentials.update((c.username, c) for c in one.credentials)
        known.api_keys.update((k.id, k) for k in one.api_keys)
        known.owners.update((d.domain, org) for d in one.snapshot.domains)
        if one.snapshot.return_path:
            known.owners.setdefault(one.snapshot.return_path, org)
    return known
