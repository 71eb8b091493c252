from django.db import migrations, models

from carepost.tenancy.engine_views import create_key, drop_key


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0007_legal_hold")]

    operations = [
        # SQLite makes a changed table anew, and no view may look at it meanwhile
        migrations.RunPython(drop_key, create_key),
        migrations.AddField("orgkey", "serves_from", models.BigIntegerField(default=0)),
        migrations.RunPython(create_key, drop_key),
    ]
