from django.db import migrations, models

from carepost.tenancy.engine_views import V1


def create(_apps, schema_editor):
    schema_editor.execute(f"CREATE VIEW engine_credential AS {V1['engine_credential']}", params=None)


def drop(_apps, schema_editor):
    schema_editor.execute("DROP VIEW engine_credential", params=None)


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0009_suppression")]

    operations = [
        # SQLite makes a changed table anew, and no view may look at it meanwhile
        migrations.RunPython(drop, create),
        migrations.AddField("credential", "last_used_at", models.BigIntegerField(default=0)),
        migrations.RunPython(create, drop),
    ]
