from django.db import migrations, models

from carepost.keyring import own_views_sql
from carepost.keyring.views_sql import V1, drop


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
        migrations.RunPython(own_views_sql.create, own_views_sql.drop),
        migrations.RunPython(_keys, drop),
    ]
