from django.apps import AppConfig


class Gateway(AppConfig):
    name = "carepost.gateway"
    label = "gateway"
    verbose_name = "Gateway"
