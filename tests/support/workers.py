"""The engine's inspection workers as the office reaches them: real processes, asked from any thread."""

import asyncio
import threading

from carepost.inspection.inspector import Inspector
from carepost.inspection.pool import Limits, Pool
from carepost.inspection.process import Start
from carepost.inspection.types import Report
from carepost.phi.types import Custom
from carepost.wire.doors import InspectAnswer


class Workers:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._inspector = Inspector(Pool(Limits(workers=1), Start(ocr=False)))

    def inspect(self, message: bytes, custom: Custom | None, show: bytes) -> InspectAnswer:
        asked = asyncio.run_coroutine_threadsafe(self._inspector.shown(message, custom, show), self._loop)
        found = asked.result(60)
        assert isinstance(found, Report), found
        return InspectAnswer(found.findings, found.shown, found.unread)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._inspector.close(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
