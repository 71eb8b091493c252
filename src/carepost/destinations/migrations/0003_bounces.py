import django.db.models.deletion
from django.db import migrations, models

import carepost.tenancy.models.base
from carepost.destinations.views_sql import create, drop

_ID = models.UUIDField(
    default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False
)


def _org():
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.organisation"
    )


class Migration(migrations.Migration):
    dependencies = [("destinations", "0002_reports"), ("tenancy", "0009_suppression")]

    operations = [
        migrations.CreateModel(
            name="Bounce",
            fields=[
                ("id", _ID),
                ("delivery", models.UUIDField()),
                ("kind", models.CharField(max_length=10)),
                ("message", models.UUIDField()),
                ("token", models.BinaryField(max_length=8)),
                ("category", models.CharField(max_length=20)),
                ("reason", models.CharField(max_length=24)),
                ("klass", models.CharField(max_length=14)),
                ("form", models.CharField(max_length=8)),
                ("at", models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ("org", _org()),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["org", "at"], name="destinations_bounce_at"),
                    models.Index(fields=["org", "token", "at"], name="destinations_bounce_token"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("org", "id"), name="destinations_bounce_org_id"),
                    models.UniqueConstraint(fields=("org", "delivery", "kind"), name="destinations_bounce_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReturnPath",
            fields=[
                ("id", _ID.clone()),
                ("domain", models.CharField(max_length=255)),
                ("changed_at", models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ("org", _org()),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("org", "id"), name="destinations_returnpath_org_id"),
                    models.UniqueConstraint(fields=("org",), name="destinations_return_path_one"),
                ],
            },
        ),
        migrations.RunPython(create, drop),
    ]
