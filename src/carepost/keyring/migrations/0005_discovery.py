import django.db.models.deletion
from django.db import migrations, models

import carepost.tenancy.models.base
from carepost.keyring.views_sql import create, create_v2, drop, drop_v2


def _id() -> models.UUIDField:
    fresh = carepost.tenancy.models.base.fresh_id
    return models.UUIDField(default=fresh, editable=False, primary_key=True, serialize=False)


def _org() -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.organisation"
    )


def _moment() -> models.BigIntegerField:
    return models.BigIntegerField(default=carepost.tenancy.models.base.now)


class Migration(migrations.Migration):
    dependencies = [("keyring", "0004_own_keys")]

    operations = [
        # SQLite makes a table anew to add a column, and a view on it is in its way
        migrations.RunPython(drop, create),
        migrations.AddField(model_name="recipientkey", name="seen_at", field=models.BigIntegerField(default=0)),
        migrations.AddField(model_name="recipientkey", name="used_at", field=models.BigIntegerField(default=0)),
        migrations.AddField(model_name="recipientkey", name="told_at", field=models.BigIntegerField(default=0)),
        migrations.CreateModel(
            name="Discovery",
            fields=[
                ("id", _id()),
                ("sources", models.CharField(blank=True, max_length=200)),
                ("unknown_ok", models.BooleanField(default=False)),
                ("changed_at", _moment()),
                ("org", _org()),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("org", "id"), name="keyring_discovery_org_id"),
                    models.UniqueConstraint(fields=("org",), name="keyring_discovery_one"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Anchor",
            fields=[
                ("id", _id()),
                ("name", models.CharField(max_length=200)),
                ("fingerprint", models.CharField(max_length=64)),
                ("der", models.BinaryField()),
                ("not_after", models.BigIntegerField(default=0)),
                ("added_at", _moment()),
                ("org", _org()),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("org", "id"), name="keyring_anchor_org_id"),
                    models.UniqueConstraint(fields=("org", "fingerprint"), name="keyring_anchor_fingerprint"),
                ],
            },
        ),
        migrations.RunPython(create_v2, drop_v2),
    ]
