from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keyring", "0006_upload")]

    operations = [
        migrations.RemoveIndex(model_name="recipientkey", name="keyring_recipientkey_state"),
        migrations.AddIndex(
            model_name="recipientkey",
            index=models.Index(
                fields=["org", "state", "token", "id", "method", "pinned", "not_after"],
                name="keyring_recipientkey_engine",
            ),
        ),
    ]
