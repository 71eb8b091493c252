from django.db import migrations, models

from carepost.tenancy.engine_views import create_v1, create_v2, drop_v1, drop_v2


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0002_engine_views")]

    operations = [
        # SQLite makes a changed table anew, and no view may look at it meanwhile
        migrations.RunPython(drop_v1, create_v1),
        migrations.AddField("organisation", "alerts", models.CharField(blank=True, default="", max_length=320)),
        migrations.AddField("route", "otherwise", models.CharField(blank=True, default="", max_length=10)),
        migrations.AddField("route", "pinned_by", models.CharField(blank=True, default="", max_length=80)),
        migrations.AddField("route", "pins", models.TextField(blank=True, default="")),
        migrations.AddField("route", "reason", models.BinaryField(default=b"")),
        migrations.RunPython(create_v2, drop_v2),
    ]
