"""The journal's Django: tables only, no URL, no middleware."""

from carepost.settings.base import *  # noqa: F403

AUTHENTICATION_BACKENDS: list[str] = []
ROOT_URLCONF = "carepost.settings.urls_none"
MIDDLEWARE: list[str] = []
ALLOWED_HOSTS: list[str] = []
