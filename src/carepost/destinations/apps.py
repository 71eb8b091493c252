from django.apps import AppConfig


class Destinations(AppConfig):
    name = "carepost.destinations"
    label = "destinations"
    verbose_name = "Destinations"
