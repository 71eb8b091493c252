from django.apps import AppConfig


class Archive(AppConfig):
    name = "carepost.archive"
    label = "archive"
    verbose_name = "Archive"
