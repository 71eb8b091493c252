"""The clinic of `fronts` with keys of its own, keys of the people it writes to, and DNS asked of who sends."""

import msgspec

from carepost.crypto.openpgp.secret import PrivateKey
from carepost.crypto.smime import identity
from carepost.crypto.smime.identity import Identity
from carepost.delivery.methods.keyed import Keyed
from carepost.delivery.methods.tls import Preparer
from carepost.delivery.questions import Questions
from carepost.directory import columns
from carepost.directory.ownkeys import OwnSecret, StaticOwnSecrets
from carepost.directory.recipients import PackedKeys, StaticCertificates
from carepost.directory.types import KEY_PLACE, KeptKey, OwnKept, OwnKey, RecipientKey
from carepost.ground import clock, ids
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.addresses import Tokens
from carepost.intake.fronted import Fronted as Door
from carepost.intake.opening import Opener
from carepost.intake.orgkeys import DirectoryKeys
from carepost.intake.ownkeys import OwnKeys
from carepost.intake.proving import Prover
from carepost.policy.types import Method
from carepost.wire.types import Accepted
from tests.support.delivering import SENDER, WILLOW
from tests.support.fronts import HOST, Fronted

PAT = "pat@home.test"


class Clinic(Fronted):
    """With keys of its own, and DNS asked of who sends."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)
        self.secrets, self.store = StaticOwnSecrets(), StaticCertificates()

    async def __aenter__(self) -> "Clinic":
        await super().__aenter__()
        org_keys = OrgKeys(self.keys)
        self.tokens = Tokens(org_keys)
        self.intake._fronted = Door(Prover(Questions(self.resolver)), HOST)
        book = DirectoryKeys(self.directory, self.keys)
        own = OwnKeys(self.tokens, self.secrets)
        self.intake.opener = Opener(own, self.tokens, book, self.store)
        keyed = Keyed(Preparer(self.keys), book, self.intake.judge.keys, self.store, aside=Preparer(self.keys), own=own)
        self.world = msgspec.structs.replace(self.world, keyed=keyed)
        self.worker._world = self.world
        return self

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        assert self.world.keyed is not None
        self.world.keyed.close()

    def has(self, one: Identity | PrivateKey) -> None:
        method = Method.SMIME if isinstance(one, Identity) else Method.OPENPGP
        row = OwnKey(ids.text(ids.new()), method, True, True, False, False, 0, 0)
        raw = one.certificate.der if isinstance(one, Identity) else one.certificate.raw
        private = identity.private_bytes(one.key) if isinstance(one, Identity) else one.raw
        self.secrets.given[row.id] = OwnSecret(OwnKept("", "", raw, one.certificate.fingerprint), private)
        self.change(own_keys={b"": (*self.snapshot.own_keys.get(b"", ()), row)})

    def knows(self, address: str, one: Identity) -> None:
        row = RecipientKey(ids.text(ids.new()), Method.SMIME, True, False, 0)
        version, wrapped = self.snapshot.keys["evidence"]
        key = OrgKeys(self.keys).open(WILLOW, "evidence", version, wrapped)
        kept = msgspec.msgpack.encode(KeptKey(address, one.certificate.der, one.certificate.fingerprint))
        self.store.given[row.id] = columns.seal(key, version, WILLOW, kept, f"{KEY_PLACE}/{row.id}")
        tokens = self.tokens.of(self.snapshot, address)
        assert tokens is not None
        self.change(recipient_keys=PackedKeys([(tokens[0], row)]))

    async def comes(self, raw: bytes, *, sender: str = PAT, to: str = SENDER) -> Accepted:
        said = await self.hand_over(raw, sender=sender, to=to, shown=None, name="mx")
        return Accepted(said.split()[-1], ())


def person(address: str) -> Identity:
    return identity.self_signed(identity.generate("ec-p256"), address, clock.now() - 86_400_000_000, days=9, name="P")
