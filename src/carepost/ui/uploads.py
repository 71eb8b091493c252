"""Uploads stay in memory: Django's own large-file handler writes clear text to a temporary file (law 9)."""

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler, StopUpload

#: octets of one request's body; the form says the same figure
LIMIT = 25_000_000


class InMemory(MemoryFileUploadHandler):
    """Takes every file into memory up to LIMIT for the whole request, and stops reading beyond it."""

    def handle_raw_input(
        self, input_data: Any, META: dict[str, str], content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        self.activated = True
        self._seen = 0
        if content_length > LIMIT:
            self._stop()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._seen += len(raw_data)
        if self._seen > LIMIT:
            self._stop()
        return super().receive_data_chunk(raw_data, start)

    def _stop(self) -> None:
        if self.request is not None:
            self.request.META["carepost.upload"] = "too-large"
        raise StopUpload(connection_reset=False)
