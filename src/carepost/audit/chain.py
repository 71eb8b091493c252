"""Which key signs a log at each of its sizes, as its own events say; and what the table of keys says beside them."""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from carepost.audit.findings import LogReport
from carepost.audit.store import Store
from carepost.proof import note, succession
from carepost.proof.event import Event
from carepost.proof.note import Checkpoint, NoteError, VerifierKey
from carepost.proof.succession import Change


class Known(msgspec.Struct, frozen=True):
    """A row of the table of keys."""

    key: VerifierKey
    since: int


class Chain:
    """Follows the walk over one log: each leaf (`introduces`), each checkpoint (`signed`), the end of each size
    (`turn`). What does not hold goes into the report."""

    def __init__(self, store: Store, org: bytes, report: LogReport, known: Sequence[VerifierKey]) -> None:
        """`known`: keys of this log from elsewhere; empty: none are."""
        self._report = report
        self._rows = _rows(store, org, report)
        self._active = self._rows[0].key if self._rows else None
        self._signing = {self._active.text: 0} if self._active is not None else {}
        self._retired: dict[str, int] = {}
        self._change: Change | None = None
        #: whether the active key signed a checkpoint of the size the walk stands at
        self._covered = False
        self._given = {key.text for key in known}

    def introduces(self, event: Event, where: str) -> None:
        """An event whose bytes are those of its leaf."""
        if (said := succession.change(event)) is None:
            return
        if self._active is None or said.before.text != self._active.text:
            words = f"{where} introduces a key of the log in the name of one that does not sign then"
            self._report.add("key-introduction", words)
            return
        self._change = said

    def signed(self, raw: bytes, what: str, *, stored: bool = True) -> Checkpoint | None:
        """What the checkpoint says; None: it is none. `stored`: it stands in the log, and is not one kept elsewhere."""
        keys = {row.key.text: row.key for row in self._rows}
        if self._active is not None:
            keys[self._active.text] = self._active
        try:
            opened = note.open_(raw, keys.values())
            stated = Checkpoint.parse(opened.text)
        except NoteError as error:
            self._report.add("checkpoint-signature", f"{what}: {error}")
            return None
        by = {key.text for key, _ in opened.verified}
        if self._active is not None and self._active.text in by:
            self._covered = self._covered or stored
            return stated
        retired = next((self._retired[text] for text in sorted(by) if text in self._retired), None)
        if retired is not None:
            self._report.add("key-retired", f"{what} is signed by a key that was retired at {retired} events")
        elif by:
            self._report.add("key-unintroduced", f"{what} is signed by a key that no event before it introduced")
        else:
            self._report.add("checkpoint-signature", f"{what} is not signed by a key of this log")
        return stated

    def turn(self, size: int) -> None:
        """Every checkpoint of `size` leaves has been seen."""
        said, self._change = self._change, None
        covered, self._covered = self._covered, False
        if said is None:
            return
        if not covered:
            words = f"the key introduced at {size} events is under no checkpoint that the key before it signed"
            self._report.add("key-introduction", words)
        self._retired[said.before.text] = size
        self._retired.pop(said.new.text, None)
        self._signing[said.new.text] = size
        self._active = said.new

    def end(self) -> None:
        stated = {row.key.text: row.since for row in self._rows}
        for text in sorted(stated.keys() | self._signing.keys()):
            if stated.get(text) == self._signing.get(text):
                continue
            mark = sha256(text.encode()).hexdigest()[:8]
            if text not in self._signing:
                words = f"the table of keys names one ({mark}) that no event introduced"
                self._report.add("key-unintroduced", words)
            else:
                words = f"the table of keys does not say of one ({mark}) what the events say"
                self._report.add("key-introduction", words)
        if self._given and not self._given & self._signing.keys():
            self._report.add("key-unknown", "the log is signed by none of the keys given, nor by one they introduced")


def _rows(store: Store, org: bytes, report: LogReport) -> list[Known]:
    found = []
    for text, since in store.rows("SELECT vkey, since FROM audit_key WHERE org = ? ORDER BY since, at", (org,)):
        try:
            found.append(Known(VerifierKey.parse(text), int(since)))
        except NoteError as error:
            report.add("checkpoint-signature", f"a key of this log is damaged: {error}")
    return found
