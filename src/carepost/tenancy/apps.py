"""The Django application `carepost.tenancy`."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from carepost.tenancy.postgres import after_migrate


class TenancyConfig(AppConfig):
    name = "carepost.tenancy"
    label = "tenancy"

    def ready(self) -> None:
        # sent once for each app when all have migrated; ours stands for all tables
        post_migrate.connect(after_migrate, sender=self, dispatch_uid="carepost-postgres")
