from django.db import migrations, models

#: now in the two that follow: a page of any kind reads its own rows alone
_BEFORE = ("newest", "reason", "kept", "ends")


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0013_suppression_pages")]

    operations = [
        migrations.AddIndex(
            "suppression",
            models.Index(
                fields=["org", "scope", "reason", "-id"],
                name="tenancy_suppression_stay",
                condition=models.Q(removed_at=0, expires_at=0),
            ),
        ),
        migrations.AddIndex(
            "suppression",
            models.Index(
                fields=["org", "scope", "reason", "-id"],
                name="tenancy_suppression_end",
                condition=models.Q(removed_at=0, expires_at__gt=0),
            ),
        ),
        *[migrations.RemoveIndex("suppression", f"tenancy_suppression_{name}") for name in _BEFORE],
    ]
