"""What the engine has seen of destinations: MX sets, STARTTLS, TLS reached, MTA-STS policies, TLSA; durable a shard.

Never asks anything itself, never decides how to protect, never keeps a domain's name in clear.
A destination that lost TLS, or whose MX moved in unsigned DNS, is weakened until it was stable for a day.
Doors: `Posture.open(shard folder, keys)`: `.seen(domain) -> policy.Seen`, `.version`, `.record(domain, Measured)`,
`.weakened`, `.starttls_once`, `.policy`, `.keep_policy`; `Posture()` keeps nothing (tests)."""

from carepost.posture.book import Posture
from carepost.posture.types import Measured, Record, StoredPolicy

__all__ = ["Measured", "Posture", "Record", "StoredPolicy"]
