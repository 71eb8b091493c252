from django.apps import AppConfig


class Templates(AppConfig):
    name = "carepost.templates"
    label = "templates"
    verbose_name = "Templates"
