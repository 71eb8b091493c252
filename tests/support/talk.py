"""Drives a sans-I/O SMTP session: what it replied, and what it asked for."""

import base64
from typing import Any

from carepost.reception.credentials import Credentials
from carepost.reception.smtp.effects import Accept, Authenticate, Close, Effect, Reply, StartTls
from carepost.reception.smtp.limits import Limits
from carepost.reception.smtp.session import Session
from carepost.reception.smtp.types import Role
from carepost.spool.budget import Budget
from carepost.wire.types import Accepted
from tests.support.clinics import PASSWORDS, Clinics


class Talk:
    def __init__(self, role: Role = Role.SUBMISSION, *, secure: bool = True, **limits: Any) -> None:
        self.clinics = Clinics()
        self.credentials = Credentials(self.clinics.directory, b"secret")
        self.bodies = Budget(10_000_000)
        self.session = Session(
            role, self.credentials, self.bodies, Limits(**limits),
            hostname="mail.maple.test", client="192.0.2.7", secure=secure,
        )  # fmt: skip
        self.asked: list[Effect] = []
        self.replies(self.session.begin())

    def replies(self, effects: list[Effect]) -> list[str]:
        self.asked = [e for e in effects if not isinstance(e, Reply)]
        text = b"".join(e.data for e in effects if isinstance(e, Reply)).decode()
        assert text == "" or text.endswith("\r\n")
        return text.split("\r\n")[:-1]

    def raw(self, data: bytes) -> list[str]:
        return self.replies(self.session.feed(data))

    def say(self, *lines: str) -> list[str]:
        return self.raw("".join(f"{line}\r\n" for line in lines).encode())

    @property
    def effect(self) -> Effect | None:
        return self.asked[-1] if self.asked else None

    @property
    def accept(self) -> Accept:
        assert isinstance(self.effect, Accept), self.asked
        return self.effect

    @property
    def closing(self) -> bool:
        return isinstance(self.effect, Close)

    def sign_in(self, username: str = "maple") -> "Talk":
        self.say("EHLO workstation.test")
        blob = base64.b64encode(f"\0{username}\0{PASSWORDS[username]}".encode()).decode()
        self.say(f"AUTH PLAIN {blob}")
        assert isinstance(self.effect, Authenticate)
        answer = self.replies(self.session.authenticated(self.credentials.identity(username)))
        assert answer == ["235 2.7.0 Authentication successful"]
        return self

    def begin(self, sender: str = "nurse@maple.test", recipient: str = "ann@elsewhere.test") -> list[str]:
        return self.say(f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA")

    def take(self, message_id: str = "id-1", **more: Any) -> list[str]:
        return self.replies(self.session.accepted(Accepted(message_id, (), **more)))


__all__ = ["Authenticate", "Role", "StartTls", "Talk"]
