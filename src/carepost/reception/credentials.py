"""Who a submitter is, and what they may send as: SMTP credentials against the directory.

Passwords are ours, with 160 random bits, kept as SCRAM verifiers. A password given by PLAIN or LOGIN costs one PBKDF2
in a thread; then an HMAC of it under a key of this process is remembered until the organisation's epoch moves.
"""

import asyncio
import hmac
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import msgspec

from carepost.crypto import scram
from carepost.directory.types import Credential, OrgSnapshot
from carepost.ground import log, metrics, processors
from carepost.ground.errors import NotFound, Unavailable
from carepost.intake import fronted
from carepost.intake.own import own
from carepost.reception.throttle import Throttle

#: failed tries of one client address, or of one account, in five minutes
CLIENT_TRIES, ACCOUNT_TRIES, WINDOW = 30, 10, 300.0
#: passwords waiting to be checked; more are asked to come again
MOST_WAITING = 256
#: seconds added to each check of an account that is being guessed at: the right password still passes
PENALTY = 1.0


class Lookup(Protocol):
    """What reception asks of the directory. Each raises Unavailable when the office was unreadable too long."""

    def snapshot(self, org: bytes) -> OrgSnapshot: ...

    def credential(self, username: str) -> Credential | None: ...

    def domain_owner(self, domain: str) -> bytes | None: ...

    def fresh(self) -> None: ...


class Identity(msgspec.Struct, frozen=True):
    """A submitter, as proved at the organisation's `epoch`."""

    credential: Credential
    epoch: int

    @property
    def org(self) -> bytes:
        return self.credential.org


class Credentials:
    """One for all listeners of a process. `secret` makes the salts of unknown users; engines share it."""

    def __init__(self, directory: Lookup, secret: bytes | None = None, *, threads: int = 2) -> None:
        self._directory = directory
        self._secret = secret or os.urandom(32)
        self._process_key = os.urandom(32)
        self._remembered: dict[str, tuple[bytes, str, int]] = {}
        self._checking: dict[bytes, asyncio.Future[bool]] = {}
        self._threads = ThreadPoolExecutor(threads, "password", processors.roam)
        self._clients = Throttle(CLIENT_TRIES, WINDOW)
        self._accounts = Throttle(ACCOUNT_TRIES, WINDOW)
        # what an unknown user's password is compared with, at the same cost
        self._nobody = scram.make(scram.new_password())

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def exchange(self) -> scram.Server:
        """A fresh SCRAM-SHA-256 exchange."""
        return scram.Server(self._secret)

    def verifier(self, username: str) -> str | None:
        """None: no such user. Raises Unavailable."""
        found = self._directory.credential(username)
        return found.verifier if found is not None else None

    def identity(self, username: str) -> Identity | None:
        """The identity of a user who has just proved to be it; None when the credential was revoked meanwhile."""
        found = self._directory.credential(username)
        return Identity(found, self._epoch(found.org)) if found is not None else None

    async def plain(self, username: str, password: str) -> Identity | None:
        """None: wrong name or password. Raises Unavailable when the directory or this process is too busy to say."""
        found = self._directory.credential(username)
        mark = hmac.digest(self._process_key, username.encode() + b"\0" + password.encode(), "sha256")
        if found is not None:
            epoch = self._epoch(found.org)
            known = self._remembered.get(username)
            if known and hmac.compare_digest(known[0], mark) and known[1:] == (found.verifier, epoch):
                return Identity(found, epoch)
        fits = await self._check(found.verifier if found else self._nobody, username, password, mark)
        if found is None or not fits:
            return None
        self._remembered[username] = (mark, found.verifier, epoch)
        return Identity(found, epoch)

    def holds(self, identity: Identity) -> bool:
        """Whether the credential still stands. One comparison while the epoch has not moved. Raises Unavailable."""
        if self._epoch(identity.credential.org) == identity.epoch:
            return True
        return self._directory.credential(identity.credential.username) == identity.credential

    def may_send(self, identity: Identity, domain: str) -> bool:
        """Whether `domain` is the organisation's, and the credential is not bound to others. Raises Unavailable."""
        bound = identity.credential.domains
        if bound and domain not in bound:
            return False
        return self._directory.domain_owner(domain) == identity.org

    def owner(self, domain: str) -> bytes | None:
        """The organisation whose sender domain this is. Raises Unavailable."""
        return self._directory.domain_owner(domain)

    def answers_for(self, org: bytes, address: str) -> bool:
        """Whether the organisation takes mail from the world at this address. Raises Unavailable."""
        return self.answers(org, address) != ""

    def answers(self, org: bytes, address: str) -> str:
        """By whom mail from the world is taken there: own | tenant (a mail system behind us) | "" (nobody). Raises
        Unavailable."""
        try:
            snapshot = self._directory.snapshot(org)
        except NotFound:
            return ""
        if own(snapshot, address) is not None:
            return "own"
        return "tenant" if fronted.takes(snapshot, address) is not None else ""

    def asks_ahead(self, org: bytes, address: str) -> bool:
        """Whether the mail system behind us is asked for this address before a message is taken. Raises Unavailable."""
        try:
            found = fronted.takes(self._directory.snapshot(org), address)
        except NotFound:
            return False
        return found is not None and found.settings.callahead

    def fresh(self) -> None:
        """Raises Unavailable while the office cannot be read."""
        self._directory.fresh()

    def welcome(self, client: str) -> bool:
        """False: this address has failed too often of late (BI-013)."""
        return not self._clients.over(client)

    def failed(self, client: str, username: str) -> None:
        """Counts a wrong password against the address and the account. Neither is logged: a user may type a password
        where the name belongs."""
        self._clients.hit(client)
        self._accounts.hit(username)
        metrics.count("auth_failed")

    def _epoch(self, org: bytes) -> int:
        try:
            return self._directory.snapshot(org).epoch
        except NotFound:
            return -1

    async def _check(self, verifier: str, username: str, password: str, mark: bytes) -> bool:
        """Equal tries at the same moment (a pool of sessions of one client) share one computation."""
        running = self._checking.get(mark)
        if running is None:
            if len(self._checking) >= MOST_WAITING:
                log.event("auth-busy")
                raise Unavailable("auth-busy", "Too many passwords are being checked; try again.")
            running = asyncio.ensure_future(self._compute(verifier, username, password))
            self._checking[mark] = running
            running.add_done_callback(lambda _: self._checking.pop(mark, None))
        return await asyncio.shield(running)

    async def _compute(self, verifier: str, username: str, password: str) -> bool:
        if self._accounts.over(username):
            await asyncio.sleep(PENALTY)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, scram.check_plain, verifier, password)
