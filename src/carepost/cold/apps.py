from django.apps import AppConfig


class Cold(AppConfig):
    name = "carepost.cold"
    label = "cold"
    verbose_name = "Cold store"
