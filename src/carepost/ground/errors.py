"""The errors every room shares: a stable code, a public sentence that names the mend, private detail.

Never PHI in any of the three."""


class CarepostError(Exception):
    """`code` is stable and machine-readable, `public` may be shown to the caller, `detail` may be logged."""

    def __init__(self, code: str, public: str, detail: str = "") -> None:
        super().__init__(f"{code}: {public}")
        self.code = code
        self.public = public
        self.detail = detail


class ConfigError(CarepostError):
    """A setting, key or argument is wrong: one sentence, exit 2."""

    def __init__(self, public: str) -> None:
        super().__init__("config", public)


class Unavailable(CarepostError):
    """Try again later: 451 / 503. Nothing was acknowledged."""


class Refused(CarepostError):
    """Permanent: 5xx / 4xx. `enhanced` is the RFC 3463 code, `status` the HTTP one."""

    def __init__(self, code: str, public: str, *, enhanced: str = "5.7.1", status: int = 403, detail: str = "") -> None:
        super().__init__(code, public, detail)
        self.enhanced = enhanced
        self.status = status


class NotFound(CarepostError):
    """Absent or forbidden: the answer is the same (DESIGN law 7)."""

    def __init__(self, public: str = "There is no such thing here.") -> None:
        super().__init__("not-found", public)
