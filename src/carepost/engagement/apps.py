from django.apps import AppConfig


class Engagement(AppConfig):
    name = "carepost.engagement"
    label = "engagement"
    verbose_name = "Opens and clicks"
