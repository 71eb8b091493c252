"""Two invented organisations for tests of the doors: Maple (with two sender domains) and Harbour, and their people."""

import functools

import msgspec

from carepost.crypto import scram
from carepost.directory import Directory, Loaded, StaticSource, bearer
from carepost.directory.types import ApiKey, Credential, OrgSnapshot, SenderDomain
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.policy.types import Assurance

MAPLE, HARBOUR = b"maple-clinic-org", b"harbour-clinic-o"
PASSWORDS = {name: f"{name}-of-an-invented-clinic" for name in ("maple", "maple-lab", "harbour")}


def snapshot(org: bytes, name: str, domains: tuple[str, ...], epoch: int = 1, **fields: object) -> OrgSnapshot:
    values = {
        "id": org, "name": name, "epoch": epoch, "policy_version": "1", "notice_name": name, "phone": "555-0100",
        "auditor": "", "portal_url": "https://portal.test", "portal_address": f"portal@{domains[0]}",
        "floor": Assurance.VERIFIED, "patience": 14_400, "rules": (), "routes": (), "keys": {},
        "domains": tuple(SenderDomain(domain) for domain in domains),
    }  # fmt: skip
    return OrgSnapshot(**{**values, **fields})  # type: ignore[arg-type]


@functools.cache
def credential(username: str, org: bytes, domains: tuple[str, ...] = ()) -> Credential:
    return Credential(f"cred-{username}", org, username, scram.make(PASSWORDS[username]), domains)


class Clinics:
    """A real directory over a source in memory. `secrets`: what to present as a bearer key, by name."""

    def __init__(self, purposes: PurposeKeys | None = None) -> None:
        """`purposes`: then the organisations have keys, and a real queue can store their mail."""
        self.secrets: dict[str, str] = {}
        self._purposes = purposes
        keys = {name: self._key(name, org, scopes) for name, org, scopes in (
            ("maple", MAPLE, ("send", "read")), ("maple-reader", MAPLE, ("read",)), ("harbour", HARBOUR, ("send",)),
        )}  # fmt: skip
        self.maple = Loaded(
            snapshot(MAPLE, "Maple Clinic", ("maple.test", "lab.maple.test"), keys=self._keys(MAPLE)),
            (credential("maple", MAPLE), credential("maple-lab", MAPLE, ("lab.maple.test",))),
            (keys["maple"], keys["maple-reader"]),
        )
        self.harbour = Loaded(
            snapshot(HARBOUR, "Harbour Clinic", ("harbour.test",), keys=self._keys(HARBOUR)),
            (credential("harbour", HARBOUR),),
            (keys["harbour"],),
        )
        self.source = StaticSource([self.maple, self.harbour])
        self.directory = Directory(self.source)
        self.directory.poll()

    def _keys(self, org: bytes) -> dict[str, tuple[int, bytes]]:
        if self._purposes is None:
            return {}
        made = OrgKeys(self._purposes)
        return {purpose: (1, made.new(org, purpose)) for purpose in ("content", "evidence", "index")}

    def _key(self, name: str, org: bytes, scopes: tuple[str, ...]) -> ApiKey:
        text, digest = bearer.make(f"key-{name}")
        self.secrets[name] = text
        return ApiKey(f"key-{name}", org, digest, scopes)

    def withdraw(self, username: str) -> None:
        """The administrator deletes a credential: the epoch moves."""
        old = self.maple
        left = tuple(c for c in old.credentials if c.username != username)
        moved = msgspec.structs.replace(old.snapshot, epoch=old.snapshot.epoch + 1)
        self.maple = Loaded(moved, left, old.api_keys)
        self.source.put(self.maple)
        self.directory.poll()

    def lose_office(self) -> None:
        """As after 60 s without a readable office database."""
        self.directory._stale_after = -1.0
