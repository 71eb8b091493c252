from django.db import migrations, models

from carepost.keyring.own_views_sql import create_v2, drop_v2


class Migration(migrations.Migration):
    dependencies = [("keyring", "0010_own_authority")]

    operations = [
        # SQLite makes a table anew to add a column, and a view on it is in its way
        migrations.RunPython(drop_v2, create_v2),
        migrations.AddField(
            model_name="authority", name="warned", field=models.SmallIntegerField(db_default=99, default=99)
        ),
        migrations.RunPython(create_v2, drop_v2),
    ]
