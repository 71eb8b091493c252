"""Django's log lines, reduced to names: texts of exceptions and requests may hold PHI (law 10)."""

import logging
from typing import Any

from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

from carepost.ground import log

#: logged anyway by what answers the request
_QUIET = ("django.server", "django.security.DisallowedHost")


class GroundHandler(logging.Handler):
    """One line: logger, level, status; of an exception its class and place."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        fields: dict[str, Any] = {"logger": record.name, "level": record.levelname}
        status = getattr(record, "status_code", None)
        if status is not None:
            fields["status"] = int(status)
        if error is not None:
            log.failure("office-log", error, **fields)
        else:
            log.event("office-log", **fields)


class SilentReporter(ExceptionReporter):
    """Never renders settings, locals or request: whatever asks for a report gets the exception's class."""

    def get_traceback_text(self) -> SafeString:
        return SafeString(getattr(self.exc_type, "__name__", "Exception"))

    def get_traceback_html(self) -> SafeString:
        return self.get_traceback_text()


def configure(_settings: object) -> None:
    """Django's LOGGING_CONFIG hook."""
    root = logging.getLogger("django")
    root.handlers = [GroundHandler(level=logging.WARNING)]
    root.propagate = False
    for name in _QUIET:
        quiet = logging.getLogger(name)
        quiet.handlers = [logging.NullHandler()]
        quiet.propagate = False
