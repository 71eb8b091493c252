"""What the engine has seen of destinations: MX sets, STARTTLS, TLS reached, hosts with their certificates, MTA-STS
policies, TLSA; and its sessions counted by day (TLS-RPT). Durable a shard. Never asks itself, never decides how
to protect, never keeps a domain's name in clear. Lost TLS, or an MX moved in unsigned DNS: weakened until stable a day.
Doors: `Posture.open(shard folder, keys)`: `.seen(domain) -> policy.Seen`, `.version`, `.record(domain, Measured)`,
`.weakened`, `.starttls_once`, `.policy`, `.keep_policy`, `.side`, `.count`; `reading.Reader.news` for who follows."""

from carepost.posture.book import Posture
from carepost.posture.reading import Reader
from carepost.posture.types import Measured, Record, StoredPolicy

__all__ = ["Measured", "Posture", "Reader", "Record", "StoredPolicy"]
