"""Messages of the last hour by token, so that a resubmission is marked (BI-023), across all engines of a home.

A mapped table of fixed size shared by the engines: a message resubmitted after its engine died comes to another one.
Lock-free: a slot is 32 bytes, written whole; of two writers at once one wins, and a mark is lost, never a message. The
token also stands in the message's row, from which the table is filled again at start. HMAC tokens and ids only."""

from pathlib import Path

from carepost.spool import mapped

HOUR = 3_600_000_000
#: 8 MiB; when more come in an hour the oldest of each bucket give way
SLOTS = 1 << 18
_SLOT = 32
_TOKEN = 8
#: slots looked at for one token
_BUCKET = 4


class Repeats:
    def __init__(self, path: Path, slots: int = SLOTS) -> None:
        """Opens or makes the table. Raises ConfigError."""
        self._buckets = slots // _BUCKET
        self._map, _ = mapped.open_(path, slots * _SLOT)

    def find(self, token: bytes, now: int) -> bytes | None:
        """The id of the message accepted under this token within the last hour."""
        bucket, token = self._bucket(token)
        slots = self._map[bucket : bucket + _BUCKET * _SLOT]
        if token not in slots:
            return None
        for at in range(0, len(slots), _SLOT):
            if slots[at : at + _TOKEN] == token:
                when = int.from_bytes(slots[at + 24 : at + 32], "big")
                return slots[at + 8 : at + 24] if now - HOUR <= when <= now else None
        return None

    def put(self, token: bytes, message: bytes, at: int) -> None:
        """After the commit. A token that is there keeps its older message while that is of the last hour."""
        bucket, token = self._bucket(token)
        oldest, slot = at + 1, bucket
        for place in range(bucket, bucket + _BUCKET * _SLOT, _SLOT):
            when = int.from_bytes(self._map[place + 24 : place + 32], "big")
            if self._map[place : place + _TOKEN] == token:
                if at - HOUR <= when <= at:
                    return
                slot = place
                break
            if when < oldest:
                oldest, slot = when, place
        self._map[slot : slot + _SLOT] = token + message + at.to_bytes(8, "big")

    def close(self) -> None:
        self._map.close()

    def _bucket(self, token: bytes) -> tuple[int, bytes]:
        number = int.from_bytes(token[_TOKEN : 2 * _TOKEN] or token[:_TOKEN], "big") % self._buckets
        return number * _BUCKET * _SLOT, token[:_TOKEN]
