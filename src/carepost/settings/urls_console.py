"""The console's origin."""

from django.urls import include, path

urlpatterns = [path("", include("carepost.console.urls"))]
