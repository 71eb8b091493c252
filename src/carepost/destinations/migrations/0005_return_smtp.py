from django.db import migrations, models

from carepost.destinations.views_sql import create, create_v2, drop


class Migration(migrations.Migration):
    dependencies = [("destinations", "0004_sending")]

    operations = [
        migrations.RunPython(drop, create),
        migrations.AddField("returnpath", "smtp", models.BooleanField(default=False)),
        migrations.RunPython(create_v2, drop),
    ]
