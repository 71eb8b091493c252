from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0014_suppression_kinds")]

    operations = [
        migrations.AddIndex(
            "suppression",
            models.Index(
                fields=["org", "scope", "reason", "-id", "expires_at"],
                name="tenancy_suppression_ending",
                condition=models.Q(removed_at=0, expires_at__gt=0),
            ),
        ),
        migrations.RemoveIndex("suppression", "tenancy_suppression_end"),
    ]
