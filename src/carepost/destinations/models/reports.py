"""What other systems reported about mail and connections in the name of our domains. Servers, never people."""

from django.db import models

from carepost.tenancy.models.base import OrgModel, now


class Report(OrgModel):
    """One report of one reporter about one domain."""

    #: id of the event it came by: laying it down twice is laying it down once
    event = models.UUIDField()
    #: dmarc | tls
    kind = models.CharField(max_length=8)
    #: lower case, A-labels
    domain = models.CharField(max_length=255)
    reporter = models.CharField(max_length=120, blank=True)
    #: the reporter's own id of it
    number = models.CharField(max_length=200, blank=True)
    #: the domain DMARC proved it to come from; "": anybody may have written it
    proved = models.CharField(max_length=255, blank=True)
    begins = models.BigIntegerField()
    ends = models.BigIntegerField()
    #: messages or sessions as the domain wants them, and others
    good = models.BigIntegerField()
    bad = models.BigIntegerField()
    #: counted in these, without a row
    more = models.BigIntegerField(default=0)
    policy = models.CharField(max_length=60, blank=True)
    #: JSON: {"rows": [rfc.reports.Row], "failures": [rfc.reports.Failure]}
    rows = models.TextField(blank=True)
    received_at = models.BigIntegerField(default=now)

    class Meta(OrgModel.Meta):
        constraints = [
            *OrgModel.Meta.constraints,
            models.UniqueConstraint(fields=["org", "event"], name="destinations_report_event"),
            # a forged report must not keep the real one of the same number out
            models.UniqueConstraint(
                fields=["org", "kind", "domain", "proved", "reporter", "number"], name="destinations_report_once"
            ),
        ]
        indexes = [models.Index(fields=["org", "domain", "-ends"], name="destinations_report_domain")]
