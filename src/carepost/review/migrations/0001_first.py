import django.db.models.deletion
from django.db import migrations, models

import carepost.tenancy.models.base


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenancy", "0006_alerts_view")]

    operations = [
        migrations.CreateModel(
            name="Setting",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("letters", models.CharField(default="at-once", max_length=10)),
                ("address", models.CharField(blank=True, default="", max_length=320)),
                ("remind", models.PositiveSmallIntegerField(default=24)),
                ("told_at", models.BigIntegerField(default=0)),
                ("told_upto", models.BigIntegerField(default=0)),
                ("reminded", models.BigIntegerField(default=0)),
                (
                    "org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.organisation"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("org", "id"), name="review_setting_org_id"),
                    models.UniqueConstraint(fields=("org",), name="review_setting_one"),
                ],
            },
        ),
    ]
