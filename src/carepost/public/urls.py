"""Addresses of the public pages."""

from django.urls import path

from carepost.public import unsubscribing, views

app_name = "public"
urlpatterns = [
    path("", views.about, name="about"),
    path(".well-known/carepost-log", views.log_keys, name="log-keys"),
    path("unsubscribe/<uuid:org>/<str:token>", unsubscribing.unsubscribe, name="unsubscribe"),
]
