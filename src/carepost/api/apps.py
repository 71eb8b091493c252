from django.apps import AppConfig


class Api(AppConfig):
    name = "carepost.api"
    label = "api"
    verbose_name = "API"
