"""The API's addresses: what the engines' port does not answer itself and relays."""

from django.urls import path

from carepost.api import (
    views_entry,
    views_held,
    views_jobs,
    views_making,
    views_messages,
    views_settings,
    views_webhooks,
)

app_name = "api"
urlpatterns = [
    path("api/v1/openapi.json", views_entry.openapi, name="openapi"),
    path("api/v1/messages", views_messages.messages, name="messages"),
    path("api/v1/messages/search", views_messages.searched, name="search"),
    path("api/v1/messages/<uuid:message>", views_messages.message, name="message"),
    path("api/v1/messages/<uuid:message>/proof", views_messages.proof, name="proof"),
    path("api/v1/messages/<uuid:message>/retract", views_messages.retract, name="retract"),
    path("api/v1/held", views_held.listing, name="held"),
    path("api/v1/held/search", views_held.searched, name="held-search"),
    path("api/v1/held/<uuid:delivery>/release", views_held.release, name="held-release"),
    path("api/v1/held/<uuid:delivery>/refuse", views_held.refuse, name="held-refuse"),
    path("api/v1/jobs", views_jobs.jobs, name="jobs"),
    path("api/v1/jobs/<uuid:job>", views_jobs.job, name="job"),
    path("api/v1/jobs/<uuid:job>/cancel", views_jobs.cancel, name="job-cancel"),
    path("api/v1/jobs/<uuid:job>/result", views_jobs.result, name="job-result"),
    path("api/v1/templates", views_making.templates, name="templates"),
    path("api/v1/templates/<uuid:template>", views_making.template, name="template"),
    path("api/v1/templates/<uuid:template>/versions", views_making.versions, name="template-versions"),
    path("api/v1/templates/<uuid:template>/versions/<int:number>", views_making.version, name="template-version"),
    path(
        "api/v1/templates/<uuid:template>/versions/<int:number>/activate",
        views_making.activate,
        name="template-activate",
    ),
    path("api/v1/templates/<uuid:template>/render", views_making.render, name="template-render"),
    path("api/v1/uploads", views_making.uploads, name="uploads"),
    path("api/v1/uploads/<uuid:upload>", views_making.upload, name="upload"),
    path("api/v1/domains", views_settings.domains_, name="domains"),
    path("api/v1/suppressions", views_settings.suppressions, name="suppressions"),
    path("api/v1/suppressions/remove", views_settings.unsuppress, name="unsuppress"),
    path("api/v1/keys", views_settings.keys, name="keys"),
    path("api/v1/keys/<uuid:key>", views_settings.key, name="key"),
    path("api/v1/webhooks", views_webhooks.webhooks, name="webhooks"),
    path("api/v1/webhooks/<uuid:webhook>", views_webhooks.webhook, name="webhook"),
    path("api/v1/webhooks/<uuid:webhook>/rotate", views_webhooks.rotate, name="webhook-rotate"),
    path("api/v1/webhooks/<uuid:webhook>/pause", views_webhooks.pause, name="webhook-pause"),
    path("api/v1/webhooks/<uuid:webhook>/resume", views_webhooks.resume, name="webhook-resume"),
    path("api/v1/webhooks/<uuid:webhook>/test", views_webhooks.test, name="webhook-test"),
    path("api/v1/webhooks/<uuid:webhook>/replay", views_webhooks.replay, name="webhook-replay"),
    path("api/v1/webhooks/<uuid:webhook>/deliveries", views_webhooks.deliveries, name="webhook-deliveries"),
    path("api/v1/events", views_settings.events, name="events"),
    path(".well-known/carepost-log", views_entry.log_keys, name="log-keys"),
    path("<path:rest>", views_entry.nothing, name="nothing"),
]
