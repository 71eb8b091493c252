from django.db import migrations, models

from carepost.keyring.views_sql import create, drop


class Migration(migrations.Migration):
    dependencies = [("keyring", "0002_engine_view")]

    operations = [
        # SQLite makes a table anew to add a column, and a view on it is in its way
        migrations.RunPython(drop, create),
        migrations.AddField(model_name="recipientkey", name="warned", field=models.SmallIntegerField(default=99)),
        migrations.AddIndex(
            model_name="recipientkey",
            index=models.Index(fields=["state", "not_after"], name="keyring_recipientkey_ends"),
        ),
        migrations.RunPython(create, drop),
    ]
