from django.apps import AppConfig


class Detection(AppConfig):
    name = "carepost.detection"
    label = "detection"
    verbose_name = "Detection"
