"""The Django application `carepost.tenancy`."""

from django.apps import AppConfig


class TenancyConfig(AppConfig):
    name = "carepost.tenancy"
    label = "tenancy"
