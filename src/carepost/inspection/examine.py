"""One message, wholly: its files read, its texts weighed, and an answer made in which none of them stands."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Final

import msgspec

from carepost.inspection.frames import Job
from carepost.inspection.types import FileFacts, Report
from carepost.phi import harmless, vocabulary
from carepost.phi.documents import read
from carepost.phi.documents.sheet import Eye
from carepost.phi.documents.types import Message, Reading, TimeUp
from carepost.phi.inspect import inspect
from carepost.phi.types import Findings, Part, Where
from carepost.phi.vocabulary import Vocabulary

#: seconds left at which nothing new is begun
_LAST: Final = 0.05


class Examiner:
    """Of one worker. Its clock is the system's alarm: it lives in the main thread of a process of its own."""

    def __init__(self, eye: Eye | None = None) -> None:
        """Raises ConfigError where the vocabularies are not installed."""
        self._eye = eye
        self._vocabulary: Vocabulary = vocabulary.load()
        signal.signal(signal.SIGALRM, _ring)

    def examine(self, job: Job) -> Report:
        """Never raises for what a message holds."""
        began = time.process_time()
        end = time.monotonic() + job.seconds
        watch = _watch(end, job.file_seconds)
        message = read.message(job.raw, watch=watch, eye=self._eye)
        unread = {document.reason for document in message.documents if document.reading is not Reading.READ}
        whole = message.reading is not Reading.UNREADABLE
        if message.reason:
            unread.add(message.reason)
        seen = harmless.Seen(job.show) if job.show else None
        findings = self._weigh(message, job, end, unread, seen) if job.detect else None
        reasons = tuple(sorted(unread))
        if findings is not None:
            findings = msgspec.structs.replace(findings, unread=reasons)
        cpu = time.process_time() - began
        shown = seen.found() if seen is not None else ()
        return Report(findings=findings, files=files(message) if whole else None, unread=reasons, shown=shown, cpu=cpu)

    def _weigh(
        self, message: Message, job: Job, end: float, unread: set[str], seen: harmless.Seen | None = None
    ) -> Findings:
        try:
            with _watch(end, job.seconds)():
                return inspect(parts(message), job.custom, self._vocabulary, seen=seen)
        except TimeUp:
            unread.add("too-slow")
        except MemoryError:
            unread.add("memory")
        return Findings()


def parts(message: Message) -> list[Part]:
    """What detection looks at: a file's name and text belong together, and to those of the files inside it."""
    found = [Part(Where.SUBJECT, message.subject)] if message.subject else []
    found.extend(Part(Where.TEXT, text, number) for number, text in enumerate(message.texts))
    found.extend(Part(Where.HTML, page, number) for number, page in enumerate(message.pages))
    for document in message.documents:
        for name in filter(None, (document.name, *document.also)):
            found.append(Part(Where.NAME, name, document.number, document.number))
        if document.text:
            found.append(Part(Where.DOCUMENT, document.text, document.number, document.number))
    return found


def files(message: Message) -> tuple[FileFacts, ...]:
    return tuple(
        FileFacts(d.number, d.depth, d.kind, d.reading, d.reason, d.traits, d.size, d.inline) for d in message.documents
    )


def _ring(number: int, frame: FrameType | None) -> None:
    raise TimeUp


def _watch(end: float, seconds: float) -> Callable[[], AbstractContextManager[None]]:
    """At most `seconds` a block, and none past `end`."""

    @contextmanager
    def watch() -> Iterator[None]:
        left = min(seconds, end - time.monotonic())
        if left < _LAST:
            raise TimeUp
        signal.setitimer(signal.ITIMER_REAL, left)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    return watch
