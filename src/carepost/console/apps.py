"""The Django application `console`."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "carepost.console"
    label = "console"
