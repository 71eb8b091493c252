from django.apps import AppConfig


class Senders(AppConfig):
    name = "carepost.senders"
    label = "senders"
    verbose_name = "Sender domains"
