"""The Django application `carepost.ui`."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "carepost.ui"
    label = "carepost_ui"
