from django.db import migrations, models

from carepost.archive.tables import create_tallies, drop_tallies


class Migration(migrations.Migration):
    dependencies = [("archive", "0003_segments")]

    operations = [
        migrations.AddField("delivery", "provider", models.CharField(default="", max_length=40)),
        migrations.RemoveIndex("delivery", "archive_delivery_state"),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["org_id", "state", "message", "provider", "method", "assurance"], name="archive_delivery_state"
            ),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["org_id", "provider", "message"],
                name="archive_delivery_provider",
                condition=models.Q(provider__gt=""),
            ),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["org_id", "method", "message"],
                name="archive_delivery_method",
                condition=~models.Q(method__in=["", "tls"]),
            ),
        ),
        migrations.RunPython(create_tallies, drop_tallies),
    ]
