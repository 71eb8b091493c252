"""Before sign-in: the one-time link that sets a password, and what an account that is switched off is told."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from carepost.ground.errors import NotFound
from carepost.tenancy.actions import staff
from carepost.tenancy.gates import open_to_all


class PasswordForm(forms.Form):
    email = forms.CharField(
        label="You sign in as", required=False, disabled=True, widget=forms.TextInput({"class": "form-control"})
    )
    password = forms.CharField(
        label="Password",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput({"class": "form-control", "autocomplete": "new-password", "autofocus": True}),
    )
    again = forms.CharField(
        label="The same password again",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput({"class": "form-control", "autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("password") and given.get("password") != given.get("again"):
            self.add_error("again", "The two passwords differ.")
        return given


@require_http_methods(["GET", "HEAD", "POST"])
@open_to_all("the one-time link itself is the proof; looking at it uses nothing up (law 11)")
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    try:
        person = staff.open_link(token)
        form = PasswordForm(request.POST or None, initial={"email": person.email})
        if request.method == "POST" and form.is_valid():
            try:
                person = staff.use_link(token, form.cleaned_data["password"])
            except ValidationError as error:
                form.add_error("password", error)
            else:
                # who just chose it need not type it again; a second factor that stands already is asked for
                login = Login(user=person, email=person.email)
                signed_in: HttpResponse = perform_password_login(request, {"email": person.email}, login)
                return signed_in
    except NotFound:
        return render(request, "console/welcome.html", {"gone": True}, status=404)
    return render(request, "console/welcome.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@open_to_all("says only that an account is switched off")
def inactive(request: HttpRequest) -> HttpResponse:
    context = {"title": "Your account is switched off", "text": "Ask your administrator to switch it on again."}
    return render(request, "console/notice.html", context, status=403)
