from django.apps import AppConfig


class Jobs(AppConfig):
    name = "carepost.jobs"
    label = "jobs"
    verbose_name = "Jobs"
