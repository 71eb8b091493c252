from django.db import migrations, models

from carepost.keyring import own_views_sql, views_sql


def _keys(_apps, editor) -> None:
    editor.execute(views_sql.V1, params=None)


class Migration(migrations.Migration):
    dependencies = [("keyring", "0008_anew")]

    operations = [
        # SQLite makes a table anew to add a column, and a view on it is in its way
        migrations.RunPython(views_sql.drop, _keys),
        migrations.RunPython(own_views_sql.drop, own_views_sql.create),
        migrations.AddField("recipientkey", "under", models.PositiveIntegerField(default=1, db_default=1)),
        migrations.AddField("ownkey", "under", models.PositiveIntegerField(default=1, db_default=1)),
        migrations.RunPython(own_views_sql.create, own_views_sql.drop),
        migrations.RunPython(_keys, views_sql.drop),
    ]
