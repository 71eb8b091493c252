from django.apps import AppConfig


class Webhooks(AppConfig):
    name = "carepost.webhooks"
    label = "webhooks"
    verbose_name = "Webhooks"
