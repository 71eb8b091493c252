"""Passwords against the directory: remembered until the epoch moves, one computation for equal tries."""

import asyncio
from collections.abc import Iterator

import pytest

from carepost.crypto import scram
from carepost.ground.errors import Unavailable
from carepost.reception import credentials as room
from carepost.reception.credentials import Credentials
from tests.support.clinics import PASSWORDS, Clinics


@pytest.fixture
def clinics() -> Clinics:
    return Clinics()


@pytest.fixture
def known(clinics: Clinics) -> Iterator[Credentials]:
    made = Credentials(clinics.directory)
    yield made
    made.close()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every PBKDF2 that was really made."""
    made: list[str] = []
    check = scram.check_plain

    def counting(verifier: str, password: str) -> bool:
        made.append(password)
        return check(verifier, password)

    monkeypatch.setattr(scram, "check_plain", counting)
    return made


async def test_right_and_wrong(known: Credentials) -> None:
    identity = await known.plain("maple", PASSWORDS["maple"])
    assert identity is not None and identity.credential.username == "maple"
    assert await known.plain("maple", PASSWORDS["harbour"]) is None
    assert await known.plain("nobody", PASSWORDS["maple"]) is None
    assert await known.plain("maple", "") is None


async def test_a_hundred_sessions_at_once_cost_one_computation(known: Credentials, computed: list[str]) -> None:
    found = await asyncio.gather(*(known.plain("maple", PASSWORDS["maple"]) for _ in range(100)))
    assert all(found) and len(computed) == 1
    await known.plain("maple", PASSWORDS["maple"])
    assert len(computed) == 1


async def test_remembered_until_the_epoch_moves(known: Credentials, clinics: Clinics, computed: list[str]) -> None:
    identity = await known.plain("maple", PASSWORDS["maple"])
    assert identity is not None and known.holds(identity)
    clinics.withdraw("maple-lab")
    assert known.holds(identity)
    assert await known.plain("maple", PASSWORDS["maple"])
    assert len(computed) == 2
    clinics.withdraw("maple")
    assert not known.holds(identity)
    assert await known.plain("maple", PASSWORDS["maple"]) is None


async def test_a_wrong_password_is_never_remembered(known: Credentials, computed: list[str]) -> None:
    for _ in range(2):
        assert await known.plain("maple", "wrong") is None
    assert len(computed) == 2


async def test_too_many_waiting_come_again(known: Credentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_WAITING", 3)
    tries = [asyncio.ensure_future(known.plain("maple", f"wrong{n}")) for n in range(10)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(d, Unavailable) for d in done) == 7


async def test_bi_013_a_guessed_account_is_slowed_and_its_owner_still_enters(
    known: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    for _ in range(room.ACCOUNT_TRIES):
        known.failed("192.0.2.7", "maple")
    monkeypatch.setattr(room.asyncio, "sleep", sleep)
    assert await known.plain("maple", PASSWORDS["maple"]) is not None
    assert slept == [room.PENALTY]


async def test_an_unreadable_office_is_unavailable(known: Credentials, clinics: Clinics) -> None:
    identity = await known.plain("maple", PASSWORDS["maple"])
    assert identity is not None
    clinics.lose_office()
    with pytest.raises(Unavailable):
        await known.plain("maple", PASSWORDS["maple"])
    with pytest.raises(Unavailable):
        known.holds(identity)
