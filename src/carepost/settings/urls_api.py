"""The API's origin: what the engines' port relays."""

from django.urls import include, path

urlpatterns = [path("", include("carepost.api.urls"))]
