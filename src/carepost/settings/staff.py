"""The process of staff and machines: console (sessions) and api (bearer keys), two origins by `faces.ByListener`."""

from carepost.settings.accounts import *  # noqa: F403
from carepost.settings.base import *  # noqa: F403
from carepost.settings.base import CAREPOST_CONFIG, CAREPOST_HOME, INSTALLED_APPS, face, templates

_face = face(CAREPOST_CONFIG.console_url, CAREPOST_CONFIG.port_console)
CAREPOST_FACE_URL = _face["url"]

#: sign-in of staff is this process's alone: its library refuses to start without its middleware
_SIGN_IN = ["allauth", "allauth.account", "allauth.mfa"]
INSTALLED_APPS = [*INSTALLED_APPS, *_SIGN_IN, "carepost.console", "carepost.api", "django_htmx"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "carepost.ui.headers.PageHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "carepost.settings.faces.ByListener",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "carepost.tenancy.sessions.StaffSession",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "carepost.console.guard.Reachable",
    "carepost.tenancy.reading.KeysTogether",
]
AUTHENTICATION_BACKENDS = ["carepost.tenancy.accounts.StaffBackend"]

TEMPLATES = templates("django.contrib.auth.context_processors.auth")

ROOT_URLCONF = "carepost.settings.urls_console"
CAREPOST_API_URLCONF = "carepost.settings.urls_api"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"

ALLOWED_HOSTS = _face["hosts"]
CSRF_TRUSTED_ORIGINS = [_face["url"]]
SESSION_COOKIE_NAME = f"{_face['prefix']}carepost-staff"
SESSION_COOKIE_SECURE = _face["secure"]
SESSION_COOKIE_SAMESITE = "Strict"
#: N-03: 24 h at most, whatever the activity; idleness is `tenancy.sessions`
SESSION_COOKIE_AGE = 86_400
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = f"{_face['prefix']}carepost-staff-csrf"
CSRF_COOKIE_SECURE = _face["secure"]
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "carepost.console.views_write.csrf_failure"

#: browsers give passkeys to localhost over plain HTTP; the server library must be told so
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = CAREPOST_HOME is not None and CAREPOST_HOME.sandbox
