"""The console's addresses, and the sign-in library's pages under the names it calls them by.

Of the library only what staff need is routed: no sign-up, no e-mail change, no password reset by mail (BI-096).
"""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkeys
from django.urls import include, path

from carepost.console import (
    views_certificates,
    views_destinations,
    views_domain_check,
    views_domains,
    views_entry,
    views_gateway,
    views_headers,
    views_held,
    views_holds,
    views_house,
    views_messages,
    views_own_keys,
    views_people,
    views_policy,
    views_sources,
    views_webhooks,
    views_words,
    views_write,
)
from carepost.tenancy.gates import open_to_all

_sign_in = open_to_all("sign-in: nobody is known yet; the library guards each step")
_own = open_to_all("one's own sign-in: the library asks for a session and a fresh proof")

_pages = [
    path("", views_house.overview, name="overview"),
    path("write", views_write.write, name="write"),
    path("write/look", views_write.look, name="write-look"),
    path("write/<uuid:draft>", views_write.write, name="write-draft"),
    path("messages", views_messages.messages_, name="messages"),
    path("messages/<uuid:message>", views_messages.message, name="message"),
    path("messages/<uuid:message>/deliveries/<uuid:delivery>/act", views_messages.act, name="act"),
    path("messages/<uuid:message>/deliveries/<uuid:delivery>/proof", views_messages.proof, name="proof"),
    path("held", views_held.held_, name="held"),
    path("held/count", views_held.count, name="held-count"),
    path("held/decide", views_held.decide, name="held-decide"),
    path("held/letters", views_held.letters, name="held-letters"),
    path("held/<uuid:delivery>", views_held.delivery, name="held-one"),
    path("held/<uuid:delivery>/message", views_held.message, name="held-message"),
    path("holds", views_holds.holds, name="holds"),
    path("holds/<uuid:row>/lift", views_holds.lift, name="hold-lift"),
    path("health", views_house.health, name="health"),
    path("destinations", views_destinations.destinations, name="destinations"),
    path("destinations/<uuid:row>", views_destinations.destination, name="destination"),
    path("destinations/<uuid:row>/seen", views_destinations.see_alerts, name="destination-seen"),
    path("destinations/<uuid:row>/pin", views_destinations.pin, name="destination-pin"),
    path("destinations/<uuid:row>/unpin", views_destinations.unpin, name="destination-unpin"),
    path("certificates", views_certificates.certificates, name="certificates"),
    path("certificates/new", views_certificates.hand_in, name="certificate-new"),
    path("certificates/several", views_certificates.hand_in_several, name="certificate-several"),
    path("certificates/sources", views_sources.sources, name="certificate-sources"),
    path("certificates/authorities", views_sources.believe, name="certificate-authority-new"),
    path("certificates/authorities/<uuid:row>", views_sources.disbelieve, name="certificate-authority-remove"),
    path("certificates/<uuid:row>", views_certificates.certificate, name="certificate"),
    path("certificates/<uuid:row>/pin", views_certificates.pin, name="certificate-pin"),
    path("certificates/<uuid:row>/distrust", views_certificates.distrust, name="certificate-distrust"),
    path("our-keys", views_own_keys.own_keys, name="own-keys"),
    path("our-keys/new", views_own_keys.make, name="own-key-new"),
    path("our-keys/import", views_own_keys.bring_in, name="own-key-import"),
    path("our-keys/<uuid:row>", views_own_keys.own_key, name="own-key"),
    path("our-keys/<uuid:row>/install", views_own_keys.install, name="own-key-install"),
    path("our-keys/<uuid:row>/rotate", views_own_keys.rotate, name="own-key-rotate"),
    path("our-keys/<uuid:row>/revoke", views_own_keys.revoke, name="own-key-revoke"),
    path("our-keys/<uuid:row>/sign-all", views_own_keys.sign_all, name="own-key-sign-all"),
    path("our-keys/<uuid:row>/export", views_own_keys.give_out, name="own-key-export"),
    path("webhooks", views_webhooks.webhooks, name="webhooks"),
    path("webhooks/new", views_webhooks.new, name="webhook-new"),
    path("webhooks/<uuid:row>", views_webhooks.webhook, name="webhook"),
    path("webhooks/<uuid:row>/change", views_webhooks.change, name="webhook-change"),
    path("webhooks/<uuid:row>/rotate", views_webhooks.rotate, name="webhook-rotate"),
    path("webhooks/<uuid:row>/agreement", views_webhooks.agreement, name="webhook-agreement"),
    path("webhooks/<uuid:row>/replay", views_webhooks.replay, name="webhook-replay"),
    path("webhooks/<uuid:row>/pause", views_webhooks.act, {"verb": "pause"}, name="webhook-pause"),
    path("webhooks/<uuid:row>/resume", views_webhooks.act, {"verb": "resume"}, name="webhook-resume"),
    path("webhooks/<uuid:row>/test", views_webhooks.act, {"verb": "test"}, name="webhook-test"),
    path("webhooks/<uuid:row>/remove", views_webhooks.act, {"verb": "remove"}, name="webhook-remove"),
    path("gateway", views_gateway.gateways, name="gateways"),
    path("gateway/new", views_gateway.new, name="gateway-new"),
    path("gateway/<uuid:row>", views_gateway.gateway, name="gateway"),
    path("gateway/<uuid:row>/change", views_gateway.change, name="gateway-change"),
    path("gateway/<uuid:row>/sign-in", views_gateway.sign_in, name="gateway-sign-in"),
    path("gateway/<uuid:row>/rotate", views_gateway.rotate, name="gateway-rotate"),
    path("gateway/<uuid:row>/end", views_gateway.end, name="gateway-end"),
    path("gateway/<uuid:row>/remove", views_gateway.remove, name="gateway-remove"),
    path("domains", views_domains.domains, name="domains"),
    path("domains/<uuid:row>", views_domains.domain, name="domain"),
    path("domains/<uuid:row>/check", views_domain_check.check, name="domain-check"),
    path("check", views_headers.headers, name="headers"),
    path("policy", views_policy.policy, name="policy"),
    path("policy/rules/new", views_policy.rule, name="policy-new"),
    path("policy/rules/<uuid:row>", views_policy.rule, name="policy-rule"),
    path("policy/rules/<uuid:row>/remove", views_policy.remove_rule, name="policy-remove"),
    path("policy/versions/<int:number>", views_policy.version, name="policy-version"),
    path("policy/versions/<int:number>/restore", views_policy.restore, name="policy-restore"),
    path("detection", views_words.words, name="words"),
    path("detection/add", views_words.add, name="words-add"),
    path("detection/remove", views_words.remove, name="words-remove"),
    path("detection/try", views_words.attempt, name="words-try"),
    path("detection/reports", views_words.reports, name="words-reports"),
    path("detection/reports/export", views_words.export, name="words-export"),
    path("detection/reports/<uuid:report>", views_words.settle, name="words-settle"),
    path("messages/<uuid:message>/findings", views_words.findings, name="findings"),
    path("people", views_people.people, name="people"),
    path("people/<uuid:person>/disable", views_people.disable, name="disable"),
    path("people/<uuid:person>/link", views_people.new_link, name="link"),
    path("first-run", views_house.first_run, name="first-run"),
    path("first-run/settings", views_house.change_settings, name="settings"),
    path("first-run/portal-by-mail", views_house.portal_by_mail, name="portal-by-mail"),
    path("help", views_house.help_, name="help"),
    path("welcome/<str:token>", views_entry.welcome, name="welcome"),
]

_account = [
    path("sign-in", _sign_in(account.LoginView.as_view(template_name="console/sign-in.html")), name="account_login"),
    path("sign-out", _own(account.LogoutView.as_view(template_name="console/sign-out.html")), name="account_logout"),
    path("sign-in/inactive", _sign_in(views_entry.inactive), name="account_inactive"),
    path(
        "sign-in/confirm",
        _own(account.ReauthenticateView.as_view(template_name="console/reauthenticate.html")),
        name="account_reauthenticate",
    ),
    path(
        "sign-in/second",
        _sign_in(factors.AuthenticateView.as_view(template_name="console/second-factor.html")),
        name="mfa_authenticate",
    ),
    path(
        "sign-in/confirm-code",
        _own(factors.ReauthenticateView.as_view(template_name="console/reauthenticate.html")),
        name="mfa_reauthenticate",
    ),
    path("sign-in/passkey", _sign_in(passkeys.LoginWebAuthnView.as_view()), name="mfa_login_webauthn"),
    path(
        "sign-in/confirm-passkey",
        _own(passkeys.ReauthenticateWebAuthnView.as_view(template_name="console/reauthenticate.html")),
        name="mfa_reauthenticate_webauthn",
    ),
    path("security", _own(factors.IndexView.as_view(template_name="console/security.html")), name="mfa_index"),
    path(
        "security/app",
        _own(app.ActivateTOTPView.as_view(template_name="console/app-add.html")),
        name="mfa_activate_totp",
    ),
    path(
        "security/app/remove",
        _own(app.DeactivateTOTPView.as_view(template_name="console/confirm.html")),
        name="mfa_deactivate_totp",
    ),
    path(
        "security/passkeys",
        _own(passkeys.ListWebAuthnView.as_view(template_name="console/passkeys.html")),
        name="mfa_list_webauthn",
    ),
    path(
        "security/passkeys/add",
        _own(passkeys.AddWebAuthnView.as_view(template_name="console/passkey-add.html")),
        name="mfa_add_webauthn",
    ),
    path(
        "security/passkeys/<int:pk>/remove",
        _own(passkeys.RemoveWebAuthnView.as_view(template_name="console/confirm.html")),
        name="mfa_remove_webauthn",
    ),
    path(
        "security/recovery-codes",
        _own(recovery.ViewRecoveryCodesView.as_view(template_name="console/recovery-codes.html")),
        name="mfa_view_recovery_codes",
    ),
    path(
        "security/recovery-codes/new",
        _own(recovery.GenerateRecoveryCodesView.as_view(template_name="console/confirm.html")),
        name="mfa_generate_recovery_codes",
    ),
]

urlpatterns = [path("", include((_pages, "console"))), *_account]
