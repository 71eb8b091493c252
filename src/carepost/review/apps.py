from django.apps import AppConfig


class Review(AppConfig):
    name = "carepost.review"
    label = "review"
    verbose_name = "Review"
