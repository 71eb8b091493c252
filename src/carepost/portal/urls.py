"""The portal's addresses. `link` is opaque; nothing in any of them is personal."""

from django.urls import path

from carepost.portal import views_key, views_open, views_own, views_read, views_reply

app_name = "portal"
urlpatterns = [
    path("m/<str:link>", views_open.door, name="door"),
    path("m/<str:link>/send-code", views_open.send_code, name="send-code"),
    path("m/<str:link>/code", views_open.code, name="code"),
    path("m/<str:link>/question", views_open.question, name="question"),
    path("m/<str:link>/prove", views_open.prove, name="prove"),
    path("m/<str:link>/help", views_open.help_, name="help"),
    path("m/<str:link>/not-me", views_open.not_me, name="not-me"),
    path("m/<str:link>/read", views_read.read, name="read"),
    path("m/<str:link>/body", views_read.body, name="body"),
    path("m/<str:link>/print", views_read.print_, name="print"),
    path("m/<str:link>/file/<int:number>", views_read.file, name="file"),
    path("m/<str:link>/files", views_read.files, name="files"),
    path("m/<str:link>/delete", views_read.delete, name="delete"),
    path("m/<str:link>/reply", views_reply.reply, name="reply"),
    path("m/<str:link>/draft", views_reply.draft, name="draft"),
    path("messages", views_own.inbox, name="inbox"),
    path("settings", views_own.settings_, name="settings"),
    path("settings/key", views_key.key, name="key"),
    path("settings/key/code", views_key.code, name="key-code"),
    path("settings/key/stop", views_key.stop, name="key-stop"),
    path("settings/key/<uuid:row>/remove", views_key.remove, name="key-remove"),
    path("settings/notices", views_own.opt_out, name="opt-out"),
    path("settings/data", views_own.my_data, name="my-data"),
    path("settings/sessions/<uuid:session>/end", views_own.end_session, name="end-session"),
    path("settings/sessions/end", views_own.end_all, name="end-all"),
    path("sign-out", views_own.sign_out, name="sign-out"),
    path("<path:rest>", views_open.unknown, name="unknown"),
]
