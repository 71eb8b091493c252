import django.db.models.deletion
from django.db import migrations, models

import carepost.tenancy.models.base


class Migration(migrations.Migration):
    dependencies = [("keyring", "0005_discovery")]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=carepost.tenancy.models.base.fresh_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("recipient", models.UUIDField()),
                ("tries", models.SmallIntegerField(default=0)),
                ("made_at", models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ("until", models.BigIntegerField()),
                ("used_at", models.BigIntegerField(default=0)),
                ("sealed", models.BinaryField()),
                (
                    "org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.organisation"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["org", "recipient", "made_at"], name="keyring_upload_recipient")],
                "constraints": [models.UniqueConstraint(fields=("org", "id"), name="keyring_upload_org_id")],
            },
        ),
    ]
