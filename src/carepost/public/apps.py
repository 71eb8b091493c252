"""The Django application `public`."""

from django.apps import AppConfig


class PublicConfig(AppConfig):
    name = "carepost.public"
    label = "public"
