from django.apps import AppConfig


class Calls(AppConfig):
    """Its tables live in records.db."""

    name = "carepost.webhooks.calls"
    label = "webhookcalls"
    verbose_name = "Webhook calls"
