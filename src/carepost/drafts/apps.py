from django.apps import AppConfig


class Drafts(AppConfig):
    name = "carepost.drafts"
    label = "drafts"
    verbose_name = "Drafts"
