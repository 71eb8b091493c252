from django.db import migrations, models
from django.db.models import F

import carepost.tenancy.models.base
from carepost.tenancy.engine_views import create_first_suppression, create_suppression, drop_suppression


def begin(apps, _editor):
    """What stood on the list before is as old as it is."""
    apps.get_model("tenancy", "Suppression").objects.update(changed_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0008_serves_from")]

    operations = [
        migrations.RunPython(drop_suppression, create_first_suppression),
        migrations.RemoveConstraint("suppression", "tenancy_suppression_token"),
        migrations.AddField("suppression", "scope", models.CharField(default="all", max_length=16)),
        migrations.AddField("suppression", "source", models.CharField(default="staff", max_length=16)),
        migrations.AddField("suppression", "expires_at", models.BigIntegerField(default=0)),
        migrations.AddField("suppression", "removed_at", models.BigIntegerField(default=0)),
        migrations.AddField(
            "suppression", "changed_at", models.BigIntegerField(default=carepost.tenancy.models.base.now)
        ),
        migrations.AddField("suppression", "note", models.BinaryField(default=b"")),
        migrations.AddConstraint(
            "suppression",
            models.UniqueConstraint(fields=("org", "token", "scope"), name="tenancy_suppression_scope"),
        ),
        migrations.AddIndex(
            "suppression", models.Index(fields=["org", "changed_at"], name="tenancy_suppression_changed")
        ),
        migrations.AddIndex("suppression", models.Index(fields=["org", "-id"], name="tenancy_suppression_newest")),
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.RunPython(create_suppression, drop_suppression),
    ]
