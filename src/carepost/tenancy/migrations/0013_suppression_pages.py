from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0012_address_tokens")]

    operations = [
        migrations.AddIndex(
            "suppression", models.Index(fields=["org", "reason", "-id"], name="tenancy_suppression_reason")
        ),
        migrations.AddIndex(
            "suppression", models.Index(fields=["org", "scope", "-id"], name="tenancy_suppression_kept")
        ),
        migrations.AddIndex(
            "suppression",
            models.Index(
                fields=["org", "-id"], name="tenancy_suppression_ends", condition=models.Q(("expires_at__gt", 0))
            ),
        ),
        migrations.AddIndex(
            "suppression",
            models.Index(
                fields=["org", "removed_at"], name="tenancy_suppression_gone", condition=models.Q(("removed_at__gt", 0))
            ),
        ),
    ]
