"""What every Django process of the office shares. Values come from `runtime.current()`; nothing here is a secret."""

from pathlib import Path
from urllib.parse import urlsplit

from carepost.settings.databases import databases, on_postgres
from carepost.settings.runtime import current

_runtime = current()

#: the home (None in checks), the settings page and the keys of this process, for the office's rooms
CAREPOST_HOME = _runtime.home
CAREPOST_CONFIG = _runtime.config
CAREPOST_KEYS = _runtime.keys
CAREPOST_ROLE = _runtime.role
#: PostgreSQL: `default` and `records` are one database
CAREPOST_HOSTNAME = _runtime.config.hostname
CAREPOST_PORT_GATEWAY = _runtime.config.port_gateway
CAREPOST_PORT_MX = _runtime.config.port_mx
CAREPOST_ONE_DATABASE = on_postgres(_runtime)

DEBUG = False
SECRET_KEY = _runtime.secret(_runtime.role)

DATABASES = databases(_runtime)
DATABASE_ROUTERS = ["carepost.settings.databases.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "carepost.tenancy",
    "carepost.mailbox",
    "carepost.archive",
    "carepost.destinations",
    "carepost.cold",
    "carepost.keyring",
    "carepost.drafts",
    "carepost.detection",
    "carepost.gateway",
    "carepost.templates",
    "carepost.uploads",
    "carepost.jobs",
    "carepost.review",
    "carepost.senders",
    "carepost.webhooks",
    "carepost.engagement",
    "carepost.webhooks.calls",
    "carepost.ui",
]

AUTH_USER_MODEL = "tenancy.Staff"
#: scrypt comes with Python; a second hash would be a second thing to keep
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
#: SP 800-63B-4: length and a list of compromised values, no composition rules (N-03)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

#: files of requests stay in memory: a temporary file would be PHI in clear on a disk (law 9)
FILE_UPLOAD_HANDLERS = ["carepost.ui.uploads.InMemory"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
# above what any form takes, so that the form itself says how many it takes
DATA_UPLOAD_MAX_NUMBER_FILES = 200

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 63_072_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = False


def templates(*processors: str) -> list[dict[str, object]]:
    """Templates of the apps, with these context processors besides the request's."""
    return [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.messages.context_processors.messages",
                    *processors,
                ],
            },
        },
    ]


TEMPLATES = templates()
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")

#: unread notes in the cookie would travel; in the session they stay here
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

#: rate limits are counted here: in this process, or in a table when several nodes share a database
CACHES = (
    {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "carepost_cache"}}
    if CAREPOST_ONE_DATABASE
    else {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
)

#: Django's own log lines hold texts of exceptions and requests; ours hold names only (law 10)
LOGGING_CONFIG = "carepost.settings.logs.configure"

#: mail leaves through intake.accept alone (law 1)
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

#: Django's default would render the settings and the stack of a failure
DEFAULT_EXCEPTION_REPORTER = "carepost.settings.logs.SilentReporter"

BASE_DIR = Path(__file__).parent.parent


def face(url: str, port: int) -> dict[str, object]:
    """Host names, origin and cookie flags of a face: Secure unless the address is plain HTTP (development)."""
    address = url or _runtime.config.address(port)
    parts = urlsplit(address)
    secure = parts.scheme == "https"
    hosts = [parts.hostname or _runtime.config.hostname]
    if not url:
        hosts += ["127.0.0.1", "localhost", "[::1]", _runtime.config.hostname]
    return {
        "url": f"{parts.scheme}://{parts.netloc}",
        "hosts": list(dict.fromkeys(hosts)),
        "secure": secure,
        "prefix": "__Host-" if secure else "",
    }
