"""The process of people outside: portal and public pages. No staff accounts, no console, its own cookie and role."""

from carepost.settings.base import *  # noqa: F403
from carepost.settings.base import CAREPOST_CONFIG, INSTALLED_APPS, face

_face = face(CAREPOST_CONFIG.portal_url, CAREPOST_CONFIG.port_portal)
CAREPOST_FACE_URL = _face["url"]

INSTALLED_APPS = [*INSTALLED_APPS, "carepost.portal", "carepost.public", "django_htmx"]

#: no session of Django's here: recipients' sessions are rows of `mailbox`, and this process never sees those of staff
MIDDLEWARE = [
    "carepost.public.tracking.AtAnyHost",
    "carepost.public.policies.AtPolicyHosts",
    "carepost.public.revocation.AtAnyHost",
    "django.middleware.security.SecurityMiddleware",
    "carepost.ui.headers.PageHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "carepost.tenancy.reading.KeysTogether",
]
AUTHENTICATION_BACKENDS: list[str] = []

ROOT_URLCONF = "carepost.settings.urls_outside"

ALLOWED_HOSTS = _face["hosts"]
CSRF_TRUSTED_ORIGINS = [_face["url"]]
SESSION_COOKIE_NAME = f"{_face['prefix']}carepost-portal"
SESSION_COOKIE_SECURE = _face["secure"]
#: Lax: the link in a notice is opened from a mail program
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = f"{_face['prefix']}carepost-portal-csrf"
CSRF_COOKIE_SECURE = _face["secure"]
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "carepost.portal.views_reply.csrf_failure"
