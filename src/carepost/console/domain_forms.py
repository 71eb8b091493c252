"""What is asked for about a sender domain: the schedule of its keys, its MTA-STS policy, why a key is revoked."""

from django import forms

from carepost.console import fields
from carepost.senders import acts

_MODES = (
    ("", "Serve no policy here"),
    ("testing", "Testing: others report, and deliver all the same"),
    ("enforce", "Enforce: others deliver only as the policy says"),
    ("none", "None: take back a policy that others still remember"),
)


class DomainForm(forms.Form):
    domain = forms.CharField(
        label="Domain (what stands behind the @ of your addresses)", max_length=255,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
        error_messages={"required": "Enter the domain you send from."},
    )  # fmt: skip


class ScheduleForm(forms.Form):
    rotate_days = forms.IntegerField(
        label="Make the next keys every so many days (180 is usual; 0: only when somebody asks)",
        min_value=0,
        max_value=acts.MOST_ROTATE,
    )
    keep_days = forms.IntegerField(
        label="Days a former key stays in DNS", min_value=acts.LEAST_KEPT, max_value=acts.MOST_KEPT
    )


class RevokeForm(forms.Form):
    reason = fields.reason()


class PolicyForm(forms.Form):
    mode = forms.ChoiceField(label="Policy", choices=_MODES, required=False)
    mx = fields.lines("Mail servers of the domain, one a line (*.example.com stands for one more label)", 2000, rows=3)
    max_age = forms.IntegerField(
        label="Seconds others remember it (604800 is a week)", min_value=acts.LEAST_AGE, max_value=acts.MOST_AGE
    )
