"""The Django application `mailbox`."""

from django.apps import AppConfig


class MailboxConfig(AppConfig):
    name = "carepost.mailbox"
    label = "mailbox"
    default_auto_field = "django.db.models.BigAutoField"
