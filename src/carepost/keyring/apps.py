from django.apps import AppConfig


class Keyring(AppConfig):
    name = "carepost.keyring"
    label = "keyring"
    verbose_name = "Keyring"
