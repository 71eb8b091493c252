from django.apps import AppConfig


class Uploads(AppConfig):
    name = "carepost.uploads"
    label = "uploads"
    verbose_name = "Uploads"
