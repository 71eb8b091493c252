from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailbox", "0004_cold")]

    operations = [
        migrations.AddField("recipient", "under", models.PositiveIntegerField(default=1, db_default=1)),
    ]
