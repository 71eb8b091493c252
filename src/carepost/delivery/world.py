"""What an attempt works with, as one value that `processes` builds."""

from typing import Protocol

import msgspec

from carepost.delivery.content import Inspector
from carepost.delivery.courier import Courier
from carepost.delivery.discovery.seeker import Seeker
from carepost.delivery.fronts import Fronts
from carepost.delivery.hops import Finder
from carepost.delivery.methods.keyed import Keyed
from carepost.delivery.methods.tls import Preparer
from carepost.delivery.returns import Signed
from carepost.delivery.schedule import Schedule
from carepost.delivery.ways import Pace
from carepost.directory.types import OrgSnapshot, RecipientKey
from carepost.intake.keys import Held
from carepost.policy.types import Category, Kind, Method, Ternary
from carepost.posture import Posture
from carepost.wire.types import Accepted, Submission


class Organisations(Protocol):
    """`directory.Directory`."""

    def snapshot(self, org: bytes) -> OrgSnapshot: ...


class Suppression(Protocol):
    """`intake.suppression.Suppression`."""

    def look(self, snapshot: OrgSnapshot, address: str, category: Category, kind: Kind) -> Ternary: ...


class RecipientKeys(Protocol):
    """`intake.keys.Keys`."""

    def look(self, snapshot: OrgSnapshot, address: str) -> Held: ...

    def find(self, snapshot: OrgSnapshot, address: str, method: Method) -> RecipientKey | None: ...


class Judge(Protocol):
    @property
    def suppression(self) -> Suppression: ...

    @property
    def keys(self) -> RecipientKeys: ...


class Door(Protocol):
    """`intake.Intake`: reports are mail, and mail has one door (law 1). What it asks before it accepts, an attempt asks
    again."""

    @property
    def judge(self) -> Judge: ...

    @property
    def returns(self) -> Signed: ...

    async def accept(self, submission: Submission) -> Accepted: ...


class World(msgspec.Struct, frozen=True):
    directory: Organisations
    posture: Posture
    finder: Finder
    courier: Courier
    preparer: Preparer
    intake: Door
    schedule: Schedule
    #: what this system calls itself in reports
    hostname: str
    #: S/MIME and OpenPGP; None: not carried out here
    keyed: Keyed | None = None
    #: looks into messages where a rule asks; None: what they contain stays unknown, and counts as the strictest
    inspector: Inspector | None = None
    #: looks for recipients' keys where a known one could change what happens; None: what is known is all there is
    seeker: Seeker | None = None
    #: tenants' own mail systems; None: none is carried out here
    fronts: Fronts | None = None
    #: how fast mail leaves, and from where; None: from the house's own address, limited by the settings alone
    pace: Pace | None = None
