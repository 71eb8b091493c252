from django.db import migrations, models

from carepost.mailbox.engine_view import create, drop


class Migration(migrations.Migration):
    dependencies = [("mailbox", "0001_first")]

    operations = [
        migrations.AddField("thread", "engine", models.BinaryField(default=b"")),
        migrations.AddField("thread", "until", models.BigIntegerField(default=0)),
        migrations.RunPython(create, drop),
    ]
