"""The API's addresses: what the engines' port does not answer itself and relays."""

from django.urls import path

from carepost.api import views_entry, views_messages

app_name = "api"
urlpatterns = [
    path("api/v1/messages/<uuid:message>", views_messages.message, name="message"),
    path("api/v1/messages/<uuid:message>/proof", views_messages.proof, name="proof"),
    path(".well-known/carepost-log", views_entry.log_keys, name="log-keys"),
]
