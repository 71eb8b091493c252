"""The Django application `portal`."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "carepost.portal"
    label = "portal"
