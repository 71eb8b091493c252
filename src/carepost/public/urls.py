"""Addresses of the public pages."""

from django.urls import path

from carepost.public import policies, revocation, tracking, unsubscribing, views

app_name = "public"
urlpatterns = [
    path("", views.about, name="about"),
    path(".well-known/mta-sts.txt", policies.policy, name="sts-policy"),
    path(".well-known/carepost-log", views.log_keys, name="log-keys"),
    path("ca/<path:rest>", revocation.published, name="revocation"),
    path("c/<path:token>", tracking.click, name="click"),
    path("o/<path:token>", tracking.picture, name="picture"),
    path("unsubscribe/<uuid:org>/<str:token>", unsubscribing.unsubscribe, name="unsubscribe"),
]
