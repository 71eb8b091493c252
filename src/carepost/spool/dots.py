"""Which attempts have come to their final dot, told to the next process without a commit.

Law 6: an attempt is uncertain when the process died between our final dot and the commit of its reply. To tell such an
attempt from one that died earlier, the worker writes its lease into this small mapped file just before it writes the
dot: a copy of 16 bytes into memory the kernel keeps when the process is killed (~1 µs; a commit would be 1 ms). What
the kernel itself loses (power, crash) is known by the boot id: a file of another boot is not trusted, and then every
claimed delivery counts as uncertain."""

from pathlib import Path

from carepost.spool import mapped

_MAGIC = b"carepost dots 1\n"
_HEAD = 64
_LEASE = 16
#: attempts past their dot and not yet settled, at once; more than any worker has connections
SLOTS = 8192
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> bytes:
    """16 bytes or more that change when the machine starts again; b"" where the system does not say."""
    try:
        return _BOOT.read_bytes().strip()[:40]
    except OSError:
        return b""


class Dots:
    def __init__(self, path: Path, boot: bytes | None = None, slots: int = SLOTS) -> None:
        """Opens or makes the file. Raises ConfigError."""
        self._boot = boot_id() if boot is None else boot
        self._size = _HEAD + slots * _LEASE
        self._map, fresh = mapped.open_(path, self._size)
        head = self._map[:_HEAD]
        same = head.startswith(_MAGIC + self._boot + b"\0") and bool(self._boot)
        #: all of it was written since the machine started: a claimed lease that is absent had not come to its dot
        self.trusted = same and not fresh
        self._slots: dict[bytes, int] = {}
        self._free: list[int] = []
        for slot in range(slots - 1, -1, -1):
            lease = self._read(slot)
            if any(lease):
                self._slots[lease] = slot
            else:
                self._free.append(slot)

    def mark(self, lease: bytes) -> None:
        """Just before the final dot. With no slot left the file is no longer trusted: more counts as uncertain."""
        if lease in self._slots:
            return
        if not self._free:
            self._map[:_HEAD] = bytes(_HEAD)
            return
        slot = self._free.pop()
        self._slots[lease] = slot
        self._write(slot, lease)

    def marked(self, lease: bytes) -> bool:
        return lease in self._slots

    def clear(self, lease: bytes) -> None:
        """After the commit of the outcome, never before it."""
        slot = self._slots.pop(lease, None)
        if slot is not None:
            self._write(slot, bytes(_LEASE))
            self._free.append(slot)

    def doubt(self) -> None:
        """Another process had the shard since this file was written: absence says nothing."""
        self._map[:_HEAD] = bytes(_HEAD)
        self.trusted = False

    def trust(self) -> None:
        """Every claim of an earlier process is settled: from now on absence means something."""
        for lease in list(self._slots):
            self.clear(lease)
        if self._boot:
            self._map[:_HEAD] = (_MAGIC + self._boot).ljust(_HEAD, b"\0")
            self.trusted = True

    def close(self) -> None:
        self._map.close()

    def _read(self, slot: int) -> bytes:
        at = _HEAD + slot * _LEASE
        return self._map[at : at + _LEASE]

    def _write(self, slot: int, lease: bytes) -> None:
        at = _HEAD + slot * _LEASE
        self._map[at : at + _LEASE] = lease
