"""The portal's origin, with the public pages."""

from django.urls import include, path

urlpatterns = [path("", include("carepost.public.urls")), path("", include("carepost.portal.urls"))]
