"""MTA-STS (RFC 8461): reading a policy, matching an MX against it, and when to fetch which.

A policy once seen holds until it expires, whatever DNS or its web server say meanwhile: taking the TXT record away, or
the fetch down, is exactly what an attacker would do. Policies are kept by `posture`, so they outlive the process.
"""

import asyncio
import enum
import re
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from carepost.delivery.resolver import Answer, Resolver, Status
from carepost.ground import clock, log
from carepost.posture import StoredPolicy

#: RFC 8461 3.2: seconds, about a year; a longer life is cut to it
MAX_AGE = 31_557_600
#: RFC 8461 3.3: bytes of a policy, seconds between tries after a failure
MAX_BYTES, BACK_OFF = 65_536, 300
#: RFC 8461 3.3 asks for a refresh before the policy is old: daily
REFRESH = 86_400
MAX_MX = 200

_ID = re.compile(rb"v=STSv1[ \t]*;[ \t]*(?:[^;=]+=[^;]*;[ \t]*)*?id=([A-Za-z0-9]{1,32})[ \t]*(?:;.*)?", re.S)
_PATTERN = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+")
_MICRO = 1_000_000


class Mode(enum.StrEnum):
    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


class Policy(msgspec.Struct, frozen=True):
    mode: Mode
    mx: tuple[str, ...]
    #: seconds
    max_age: int
    #: as fetched, for evidence
    text: bytes = b""

    def allows(self, host: str) -> bool:
        """RFC 8461 4.1: a wildcard stands for exactly one label (BI-036)."""
        host = host.rstrip(".").lower()
        for pattern in self.mx:
            if pattern == host or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:]):
                return True
        return False


class Sts(msgspec.Struct, frozen=True):
    """What MTA-STS says of a domain now. `policy` None: nothing; `known` False: nobody could find out."""

    policy: Policy | None = None
    known: bool = True
    #: why the policy that DNS announces was not had (RFC 8460 4.3.2.2): sts-policy-fetch-error, sts-policy-invalid,
    #: sts-webpki-invalid; "" when nothing is amiss. With a `policy` besides: an older one, still in force
    fault: str = ""

    @property
    def enforced(self) -> Policy | None:
        return self.policy if self.policy is not None and self.policy.mode is Mode.ENFORCE else None

    @property
    def word(self) -> str:
        """none | testing | enforce | unknown"""
        if self.policy is not None:
            return self.policy.mode.value
        return "none" if self.known else "unknown"


def parse(text: bytes) -> Policy:
    """A policy file. Raises ValueError for whatever RFC 8461 3.2 does not allow; of a repeated key the first counts."""
    if len(text) > MAX_BYTES:
        raise ValueError("too long")
    fields: dict[str, str] = {}
    hosts: list[str] = []
    for line in text.decode("utf-8").replace("\r\n", "\n").split("\n"):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip(" \t"), value.strip(" \t")
        if not colon or not name:
            raise ValueError("a line is no field")
        if name == "mx":
            hosts.append(value.rstrip(".").lower())
        else:
            fields.setdefault(name, value)
    if fields.get("version") != "STSv1":
        raise ValueError("version")
    mode = Mode(fields.get("mode", ""))
    age = fields.get("max_age", "")
    if not (age.isascii() and age.isdigit() and len(age) <= 10):
        raise ValueError("max_age")
    if mode is not Mode.NONE and not hosts:
        raise ValueError("mx")
    if len(hosts) > MAX_MX or not all(_PATTERN.fullmatch(host) for host in hosts):
        raise ValueError("mx")
    return Policy(mode, tuple(hosts), min(int(age), MAX_AGE), text)


def record_id(answer: Answer[bytes]) -> str | None:
    """The id in the TXT answer at `_mta-sts.<domain>`; None without exactly one well-formed record (RFC 8461 3.1)."""
    ours = [text for text in answer.records if text.startswith(b"v=STSv1")]
    found = _ID.fullmatch(ours[0].strip()) if len(ours) == 1 else None
    return found[1].decode() if found else None


def fault_of(error: Exception) -> str:
    """The result type of RFC 8460 4.3.2.2 for a failed fetch."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "sts-webpki-invalid"
    return "sts-policy-invalid" if isinstance(error, ValueError) else "sts-policy-fetch-error"


class Keeper(Protocol):
    """Where policies outlive the process: `posture.Posture`."""

    def policy(self, domain: str) -> StoredPolicy | None: ...

    def keep_policy(self, domain: str, policy: StoredPolicy) -> None: ...


#: (policy host) -> the file's bytes; raises OSError or ValueError when it was not had as RFC 8461 3.3 asks
Fetch = Callable[[str], Awaitable[bytes]]


class Policies:
    """RFC 8461 5.1 in the order it is written: cache, TXT id, fetch."""

    def __init__(self, resolver: Resolver, keeper: Keeper, fetch: Fetch) -> None:
        self._resolver = resolver
        self._keeper = keeper
        self._fetch = fetch
        #: domain -> microseconds before which a failed fetch is not tried again
        self._resting: dict[str, int] = {}
        #: domain -> how its last fetch failed
        self._faults: dict[str, str] = {}
        self._fetching: dict[str, asyncio.Task[Policy | None]] = {}
        self._parsed: dict[bytes, Policy] = {}

    async def find(self, domain: str) -> Sts:
        answer = await self._resolver.txt(f"_mta-sts.{domain}")
        stored = self._keeper.policy(domain)
        now = clock.now()
        if stored is not None and stored.expires <= now:
            stored = None
        identity = record_id(answer) if answer.status is Status.OK else None
        if stored is not None:
            fresh = identity is None or identity == stored.id
            if fresh and identity is not None and now - stored.fetched > REFRESH * _MICRO:
                # The old policy holds while the new one is fetched beside the mail.
                self._start(domain, identity)
            if fresh:
                return Sts(self._read(stored.text), fault=self._faults.get(domain, ""))
        if identity is None:
            return Sts(known=not answer.unknown)
        task = self._start(domain, identity)
        fetched = await asyncio.shield(task) if task is not None else None
        if fetched is not None:
            return Sts(fetched)
        fault = self._faults.get(domain, "sts-policy-fetch-error")
        if stored is not None:
            return Sts(self._read(stored.text), fault=fault)
        # RFC 8461 3.3: announced, but not to be had: as though there were none, and on record as not known.
        return Sts(known=False, fault=fault)

    async def refresh(self, domain: str) -> None:
        """Fetches the policy anew where DNS still announces one; whatever fails leaves the old one as it was."""
        answer = await self._resolver.txt(f"_mta-sts.{domain}")
        identity = record_id(answer) if answer.status is Status.OK else None
        task = self._start(domain, identity) if identity is not None else None
        if task is not None:
            await asyncio.shield(task)

    def _start(self, domain: str, identity: str) -> "asyncio.Task[Policy | None] | None":
        task = self._fetching.get(domain)
        if task is None:
            if self._resting.get(domain, 0) > clock.now():
                return None
            task = asyncio.ensure_future(self._get(domain, identity))
            self._fetching[domain] = task
            task.add_done_callback(lambda _: self._fetching.pop(domain, None))
        return task

    async def _get(self, domain: str, identity: str) -> Policy | None:
        try:
            policy = parse(await self._fetch(f"mta-sts.{domain}"))
        except (OSError, ValueError, EOFError, TimeoutError) as error:
            if len(self._resting) > 10_000:
                self._resting.clear()
                self._faults.clear()
            self._resting[domain] = clock.now() + BACK_OFF * _MICRO
            self._faults[domain] = fault_of(error)
            log.failure("mta-sts-not-fetched", error)
            return None
        self._resting.pop(domain, None)
        self._faults.pop(domain, None)
        now = clock.now()
        expires = now + policy.max_age * _MICRO
        self._keeper.keep_policy(domain, StoredPolicy(identity, policy.text, now, expires))
        return policy

    def _read(self, text: bytes) -> Policy:
        known = self._parsed.get(text)
        if known is None:
            if len(self._parsed) > 5_000:
                self._parsed.clear()
            known = self._parsed[text] = parse(text)
        return known
