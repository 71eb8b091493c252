"""What an engine saw of invented domains, for tests of those who read it."""

from carepost.ground import clock
from carepost.policy.types import Assurance
from carepost.posture import Record
from carepost.posture.types import Certificate, Count, Day, Failure, Policy, Side

NOON = 1_795_262_400_000_000
DAY_US = 86_400_000_000
VERIFIED, AUTHENTICATED = Assurance.VERIFIED, Assurance.AUTHENTICATED


def certificate(number: int = 1, *, ends: int = NOON + 90 * DAY_US, key: int = 0) -> Certificate:
    return Certificate(f"{number:064x}", f"{key or number:064x}", NOON - DAY_US, ends, ("mx.lab.test",), "Invented CA")


def host(name: str = "mx.lab.test", *, at: int = NOON, **how: object) -> Side:
    made: dict[str, object] = {
        "tls": "TLSv1.3", "assurance": VERIFIED, "basis": "unsigned-mx", "certificate": certificate(),
    }  # fmt: skip
    return Side(name, at, **(made | how))  # type: ignore[arg-type]


def record(domain: str = "lab.test", *sides: Side, **how: object) -> Record:
    sides = sides or (host(f"mx.{domain}"),)
    made: dict[str, object] = {
        "hosts": tuple(sorted(side.host for side in sides if not side.pinned)), "starttls_at": NOON,
        "tls": max(side.assurance for side in sides), "tls_at": NOON, "mta_sts": "none", "dane": "no",
    }  # fmt: skip
    return Record(domain, sides=sides, **(made | how))  # type: ignore[arg-type]


def counted(org: bytes, domain: str = "lab.test", *, good: int = 1, run: str = "a", day: int | None = None) -> Day:
    policy = Policy("no-policy-found", domain)
    failed = [(Failure("certificate-expired", f"mx.{domain}", reason="expired"), 2)]
    return Day(org, domain, clock.now() // DAY_US if day is None else day, (Count(policy, good, failed),), run)
