"""S/MIME and OpenPGP for the wire: certificates fetched when used, long messages made beside the loop."""

import asyncio
from typing import Any

import msgspec
import pytest

from carepost.crypto.smime import identity, opening
from carepost.delivery.methods import keyed, smime
from carepost.delivery.methods.keyed import Keyed
from carepost.delivery.methods.tls import Prepared, Preparer, Unready
from carepost.directory import columns
from carepost.directory.recipients import PackedKeys, StaticCertificates
from carepost.directory.types import KEY_PLACE, KeptKey, OrgSnapshot, RecipientKey
from carepost.ground import clock, ids
from carepost.ground.errors import Unavailable
from carepost.ground.keys import PurposeKeys
from carepost.ground.orgkeys import OrgKeys
from carepost.intake.addresses import Tokens
from carepost.intake.keys import Keys
from carepost.policy.types import Assurance, Method
from carepost.queue.sealing import EVIDENCE, KeyBook
from tests.support.openpgp import key as openpgp_key
from tests.support.smime import ADDRESS, DAY, MESSAGE, Authority

ORG = b"willow-clinic-00"
PAT, KAI = "pat@home.test", "kai@home.test"
PURPOSES = PurposeKeys.ephemeral()
ORG_KEYS = OrgKeys(PURPOSES)
WRAPPED = {purpose: (1, ORG_KEYS.new(ORG, purpose)) for purpose in ("evidence", "index")}
PERSON = identity.self_signed(identity.generate("ec-p256"), PAT, clock.now() - DAY, days=9)


class Counted(StaticCertificates):
    asked = 0

    def find(self, org: bytes, key: RecipientKey) -> bytes:
        self.asked += 1
        return super().find(org, key)


class House:
    """A known certificate of each kind, the sealed ones in a store that counts."""

    def __init__(self) -> None:
        self.store = Counted()
        rows = [
            self.add(PAT, Method.SMIME, PERSON.certificate.der, PERSON.certificate.fingerprint),
            self.add(KAI, Method.OPENPGP, openpgp_key(KAI).certificate.raw),
        ]
        self.snapshot = OrgSnapshot(
            id=ORG, name="W", epoch=1, policy_version="1", notice_name="W", phone="", auditor="", portal_url="",
            portal_address="", floor=Assurance.VERIFIED, patience=1, rules=(), routes=(), keys=WRAPPED, domains=(),
            recipient_keys=PackedKeys(rows),
        )  # fmt: skip
        book = KeyBook(ORG_KEYS, lambda _org, purpose, _version: WRAPPED[purpose])
        finder = Keys(Tokens(ORG_KEYS))
        self.keyed = Keyed(Preparer(PURPOSES), book, finder, self.store, aside=Preparer(PURPOSES))

    def add(self, address: str, method: Method, raw: bytes, fingerprint: str = "") -> tuple[bytes, RecipientKey]:
        row = RecipientKey(ids.text(ids.new()), method, True, False, 0)
        key = ORG_KEYS.open(ORG, EVIDENCE, 1, WRAPPED[EVIDENCE][1])
        kept = msgspec.msgpack.encode(KeptKey(address, raw, fingerprint))
        self.store.given[row.id] = columns.seal(key, 1, ORG, kept, f"{KEY_PLACE}/{row.id}")
        tokens = Tokens(ORG_KEYS).of(self.given(), address)
        assert tokens is not None
        return tokens[0], row

    def given(self) -> Any:
        class Given:
            id = ORG
            token_versions = (1,)

            def key(self, purpose: str, version: int) -> bytes:
                return WRAPPED[purpose][1]

        return Given()

    async def prepare(self, body: bytes = MESSAGE, *, address: str = PAT, method: Method = Method.SMIME) -> Prepared:
        return await self.keyed.prepare(method, ids.new(), body, self.snapshot, address=address, header_from=ADDRESS)


@pytest.fixture
def house() -> Any:
    made = House()
    yield made
    made.keyed.close()


def long(megabytes: int) -> bytes:
    head, _, _ = MESSAGE.partition(b"\r\n\r\n")
    head = head.split(b"\r\nMIME-Version", 1)[0].split(b"\r\nContent-", 1)[0]
    return head + b"\r\n\r\n" + (b"a line of an invented report, of sixty octets with its end\r\n" * 17_500) * megabytes


@pytest.mark.parametrize(("address", "method"), [(PAT, Method.SMIME), (KAI, Method.OPENPGP)], ids=["smime", "openpgp"])
async def test_the_loop_answers_others_while_a_long_message_is_made(house: House, address: str, method: Method) -> None:
    """25 MB take about half a second: with them made on the loop, nothing of it turns in between."""
    await house.prepare(address=address, method=method)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.ensure_future(others())
    await asyncio.sleep(0)
    before = turns
    made = await house.prepare(long(25), address=address, method=method)
    between = turns - before
    beside.cancel()
    assert len(made.data) > 25_000_000
    assert between > 10


@pytest.mark.fast
async def test_short_and_long_ones_come_out_right_side_by_side(house: House) -> None:
    bodies = [long(1), MESSAGE, long(1), MESSAGE]
    made = await asyncio.gather(*(house.prepare(body) for body in bodies))
    for body, one in zip(bodies, made, strict=True):
        found = opening.open_(one.data, [PERSON], Authority().trust(), clock.now())
        assert found.message.partition(b"\r\n\r\n")[2] == body.partition(b"\r\n\r\n")[2]


@pytest.mark.fast
async def test_a_certificate_is_fetched_once_an_epoch(house: House) -> None:
    await house.prepare()
    await house.prepare()
    assert house.store.asked == 1
    house.snapshot = msgspec.structs.replace(house.snapshot, epoch=2)
    await house.prepare()
    assert house.store.asked == 2


@pytest.mark.fast
async def test_a_certificate_that_is_distrusted_or_runs_out_between_two_messages_is_seen_at_once(house: House) -> None:
    """Nothing that is remembered of it, unpacked, opened, read, judged, outlives an epoch or its date."""
    made = await house.prepare()
    assert made.to is not None
    token, good = next((token, rows[0]) for token, rows in house.snapshot.recipient_keys.items() if rows[0] == made.to)
    for worse in ({"changed": True}, {"not_after": clock.now() - 1}):
        changed = PackedKeys([(token, msgspec.structs.replace(good, **worse))])
        house.snapshot = msgspec.structs.replace(house.snapshot, epoch=house.snapshot.epoch + 1, recipient_keys=changed)
        with pytest.raises(Unready, match=keyed.NO_KEY):
            await house.prepare()
    house.snapshot = msgspec.structs.replace(
        house.snapshot, epoch=house.snapshot.epoch + 1, recipient_keys=PackedKeys([(token, good)])
    )
    assert (await house.prepare()).to == good
    late = PERSON.certificate.not_after + 1
    clock.set_source(lambda: late)
    try:
        with pytest.raises(Unready, match=smime.UNUSABLE):
            await house.prepare()
    finally:
        clock.set_source(None)


@pytest.mark.fast
@pytest.mark.parametrize("pinned", [False, True], ids=["found", "pinned"])
@pytest.mark.parametrize("changed", [False, True], ids=["same", "changed"])
@pytest.mark.parametrize("method", [Method.SMIME, Method.OPENPGP])
def test_one_key_says_of_its_holder_what_it_says_among_others(
    house: House, method: Method, changed: bool, pinned: bool
) -> None:
    """The usual is answered by a shorter way than several keys are."""
    token = next(iter(house.snapshot.recipient_keys))
    address = next(a for a in (PAT, KAI) if Tokens(ORG_KEYS).of(house.given(), a) == (token,))
    keys, one = Keys(Tokens(ORG_KEYS)), RecipientKey(ids.text(ids.new()), method, pinned, changed, 0)
    # run out and vouched for by nobody, it adds nothing
    gone = RecipientKey(ids.text(ids.new()), method, False, False, 1)
    alone, beside = (
        msgspec.structs.replace(house.snapshot, recipient_keys=PackedKeys([(token, row) for row in rows]))
        for rows in ((one,), (one, gone))
    )
    assert keys.look(alone, address) == keys.look(beside, address)
    for asked in (Method.SMIME, Method.OPENPGP):
        assert keys.find(alone, address, asked) == keys.find(beside, address, asked)


@pytest.mark.fast
async def test_a_certificate_that_is_gone_or_damaged_is_the_next_methods_turn(house: House) -> None:
    row = next(iter(house.store.given))
    house.store.given[row] = house.store.given[row][:-1] + b"\0"
    with pytest.raises(Unready, match=keyed.NO_KEY):
        await house.prepare()
    house.store.given.clear()
    with pytest.raises(Unready, match=keyed.NO_KEY):
        await house.prepare()
    with pytest.raises(Unready, match=keyed.NO_KEY):
        await house.prepare(address="nobody@home.test")


@pytest.mark.fast
async def test_an_office_that_cannot_be_read_is_no_reason_to_take_another_method(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bytes:
        raise Unavailable("office-unreadable", "The office database cannot be read; try again later.")

    monkeypatch.setattr(house.store, "find", away)
    with pytest.raises(Unavailable):
        await house.prepare()
