import django.db.models.deletion
from django.db import migrations, models

import carepost.tenancy.models.base
from carepost.keyring import own_views_sql
from carepost.keyring.views_sql import V1, drop


def _id() -> models.UUIDField:
    fresh = carepost.tenancy.models.base.fresh_id
    return models.UUIDField(default=fresh, editable=False, primary_key=True, serialize=False)


def _org() -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.organisation"
    )


def _moment() -> models.BigIntegerField:
    return models.BigIntegerField(default=carepost.tenancy.models.base.now)


def _apart(table: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=("org", "id"), name=f"keyring_{table}_org_id")


def _keys(_apps, editor) -> None:
    editor.execute(V1, params=None)


class Migration(migrations.Migration):
    dependencies = [("keyring", "0007_engine_index")]

    operations = [
        # SQLite makes a table anew to add a column, and a view on it is in its way
        migrations.RunPython(drop, _keys),
        migrations.RunPython(own_views_sql.drop, own_views_sql.create),
        migrations.AddField(model_name="recipientkey", name="ask_at", field=models.BigIntegerField(default=0)),
        migrations.AddField(model_name="ownkey", name="exportable", field=models.BooleanField(default=True)),
        migrations.AddIndex(
            model_name="recipientkey", index=models.Index(fields=["state", "ask_at"], name="keyring_recipientkey_ask")
        ),
        migrations.CreateModel(
            name="OwnAuthority",
            fields=[
                ("id", _id()),
                ("name", models.CharField(max_length=200)),
                ("algorithm", models.CharField(max_length=20)),
                ("state", models.CharField(max_length=10)),
                ("fingerprint", models.CharField(max_length=64)),
                ("der", models.BinaryField()),
                ("domains", models.TextField()),
                ("not_after", models.BigIntegerField()),
                ("made_at", _moment()),
                ("changed_at", _moment()),
                ("wrapped", models.BinaryField()),
                ("org", _org()),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["org", "state"], name="keyring_ownauthority_state")],
                "constraints": [_apart("ownauthority")],
            },
        ),
        migrations.CreateModel(
            name="Issued",
            fields=[
                ("id", _id()),
                ("authority", models.UUIDField()),
                ("key", models.UUIDField()),
                ("serial", models.CharField(max_length=40)),
                ("not_after", models.BigIntegerField()),
                ("made_at", _moment()),
                ("revoked_at", models.BigIntegerField(default=0)),
                ("org", _org()),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["org", "key"], name="keyring_issued_key")],
                "constraints": [
                    _apart("issued"),
                    models.UniqueConstraint(fields=("org", "authority", "serial"), name="keyring_issued_serial"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RevocationList",
            fields=[
                ("id", _id()),
                ("number", models.BigIntegerField(default=0)),
                ("certificate", models.BinaryField()),
                ("der", models.BinaryField()),
                ("made_at", _moment()),
                ("until", models.BigIntegerField()),
                ("org", _org()),
            ],
            options={"abstract": False, "constraints": [_apart("revocationlist")]},
        ),
        migrations.RunPython(own_views_sql.create, own_views_sql.drop),
        migrations.RunPython(own_views_sql.widen, own_views_sql.narrow),
        migrations.RunPython(_keys, drop),
    ]
