"""Uploads stay in memory: Django's own large-file handler writes clear text to a temporary file (law 9)."""

from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler

#: octets of one request's body; the form says the same figure
LIMIT = 25_000_000
#: beyond this a request is not read at all (BI-086)
_ABSURD: Final = 4
#: in META of a request whose files were left out because they are too large: its other fields are there
TOO_LARGE: Final = "carepost.upload-too-large"


class InMemory(MemoryFileUploadHandler):
    """Takes every file into memory up to LIMIT for the whole request. Above it, files are read past and forgotten, so
    that the view has the form's other fields and can say what happened."""

    def handle_raw_input(
        self, input_data: Any, META: dict[str, Any], content_length: int, boundary: Any, encoding: str | None = None
    ) -> None:
        if content_length > LIMIT * _ABSURD:
            raise RequestDataTooBig("the request is too large")
        self.activated = content_length <= LIMIT
        if not self.activated:
            META[TOO_LARGE] = True
