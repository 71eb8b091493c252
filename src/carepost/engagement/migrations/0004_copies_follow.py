from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("engagement", "0003_sessions")]

    operations = [
        migrations.AddField("copy", "under", models.PositiveIntegerField(default=0, db_default=1)),
    ]
