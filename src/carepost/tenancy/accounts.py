"""django-allauth's hooks for staff: nobody signs up, sign-in only for the active, second factors sealed at rest."""

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from carepost.crypto import rest
from carepost.ground import clock
from carepost.tenancy.actions.staff import record_sign_in
from carepost.tenancy.models import Staff
from carepost.tenancy.sessions import begin, has_second_factor

_FACTOR = b"second-factor"


class StaffBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no stubs
    """E-mail and password of an active member of staff."""


#: the library's own sentences say what is wrong, not what to do
_WRONG = {
    "incorrect_code": "That did not fit. Enter the code the app shows now; if it is refused again, see that your phone "
    "sets its clock by itself. A recovery code works once.",
    "incorrect_password": "That is not your password. Try again, or ask an administrator for a one-time link.",
    "email_password_mismatch": "Email and password do not fit together. Try again, or ask an administrator for a "
    "one-time link.",
    "too_many_login_attempts": "Too many wrong tries. Wait five minutes and try again, or ask an administrator for a "
    "one-time link.",
}


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | _WRONG

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Not while somebody who entered the password just now sets up a first factor and sees the recovery codes:
        nothing stood that could be taken over, and until then the session opened nothing else (HS-37)."""
        request = context.request
        shown = [one["at"] for one in get_authentication_records(request, request.user)] if request else []
        if not shown or has_second_factor(request.user, before=max(shown)):
            return bool(super().is_reauthentication_required(app=app, **more))
        return bool(clock.now() / 1_000_000 - max(shown) > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """HS-09: the failure is in the log of the organisations this person works for; a stranger's is nobody's."""
        super().authentication_failed(request, **credentials)
        known = Staff.objects.filter(email=str(credentials.get("email", "")).strip().lower()).first()
        if known is not None:
            record_sign_in(known, result="refused")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Nothing: what concerns staff accounts is shown in the console, never mailed around the one door (law 1)."""


class StaffFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """TOTP secrets and recovery seeds are sealed in the table, also where the database itself is not."""

    error_messages = DefaultMFAAdapter.error_messages | {"incorrect_code": _WRONG["incorrect_code"]}

    def encrypt(self, text: str) -> str:
        return base64.b64encode(rest.seal(_key(), text.encode(), _FACTOR)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return rest.open_(_key(), base64.b64decode(encrypted_text), _FACTOR).decode()


def _key() -> bytes:
    return bytes(settings.CAREPOST_KEYS.raw("database", b"second-factor", 1))


#: Django's `user_logged_in` comes after the second factor
@receiver(user_logged_in)
def _signed_in(user: Staff, request: HttpRequest, **_signal: Any) -> None:
    begin(request)
    record_sign_in(user, result="ok")
