"""Who has a certificate is in memory, packed; the certificates are not."""

import pytest

from carepost.directory import recipients
from carepost.directory.recipients import PackedKeys, StaticCertificates
from carepost.directory.types import RecipientKey
from carepost.ground import ids
from carepost.ground.errors import NotFound
from carepost.policy.types import Method

pytestmark = pytest.mark.fast

ANNE, BO, NOBODY = b"anne----", b"bo------", b"nobody--"


def key(method: Method = Method.SMIME, *, pinned: bool = False, changed: bool = False, end: int = 0) -> RecipientKey:
    return RecipientKey(ids.text(ids.new()), method, pinned, changed, end)


def test_what_was_packed_is_what_is_found_oldest_first() -> None:
    first, second = key(pinned=True, end=7), key(Method.OPENPGP, changed=True, end=2**62)
    other = key(pinned=True, changed=True)
    packed = PackedKeys([(BO, second), (ANNE, other), (BO, first)])
    assert packed[BO] == tuple(sorted((first, second), key=lambda row: row.id))
    assert packed.get(ANNE) == (other,)
    assert list(packed) == [ANNE, BO] and len(packed) == 2
    assert dict(packed) == {ANNE: (other,), BO: packed[BO]}


@pytest.mark.parametrize("method", list(Method))
def test_every_method_survives(method: Method) -> None:
    row = key(method)
    assert PackedKeys([(ANNE, row)])[ANNE] == (row,)


def test_who_has_none() -> None:
    packed = PackedKeys([(ANNE, key())])
    assert packed.get(NOBODY) is None and packed.get(NOBODY, ()) == () and NOBODY not in packed
    with pytest.raises(KeyError):
        packed[NOBODY]
    assert not PackedKeys() and not PackedKeys().get(ANNE)


def test_a_token_of_another_length_is_none() -> None:
    with pytest.raises(ValueError, match="token"):
        PackedKeys([(b"short", key())])


def test_every_one_of_many_is_found() -> None:
    rows = [(number.to_bytes(8, "big"), key(end=number)) for number in range(1000)]
    packed = PackedKeys(reversed(rows))
    assert [packed[token] for token, _ in rows] == [(row,) for _, row in rows]


def test_what_is_kept_unpacked_is_bounded_and_another_epoch_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "_KEPT", 10)
    rows = [(number.to_bytes(8, "big"), key(end=number)) for number in range(100)]
    packed = PackedKeys(rows)
    for token, row in [*rows, *rows]:
        assert packed.get(token) == (row,) and packed.get(token + b"") is packed.get(token)
        assert packed.get(NOBODY) is None and len(packed._unpacked) <= 10
    changed = key(changed=True)
    assert PackedKeys([(rows[0][0], changed)]).get(rows[0][0]) == (changed,) and packed[rows[0][0]] == (rows[0][1],)


def test_given_certificates_are_found_by_the_id_of_their_key() -> None:
    row = key()
    assert StaticCertificates({row.id: b"sealed"}).find(b"org", row) == b"sealed"
    with pytest.raises(NotFound):
        StaticCertificates().find(b"org", row)
