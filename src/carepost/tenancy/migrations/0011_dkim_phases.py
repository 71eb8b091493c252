from django.db import migrations, models
from django.db.models import F

from carepost.tenancy.engine_views import create_dkim, create_first_dkim, drop_dkim


def begin(apps, _editor):
    """What there is signs since it was made."""
    apps.get_model("tenancy", "DkimKey").objects.update(active_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0010_last_used")]

    operations = [
        migrations.RunPython(drop_dkim, create_first_dkim),
        migrations.AddField("dkimkey", "active_at", models.BigIntegerField(default=0)),
        migrations.AddField("dkimkey", "revoked_at", models.BigIntegerField(default=0)),
        migrations.RunPython(begin, migrations.RunPython.noop),
        migrations.RunPython(create_dkim, drop_dkim),
    ]
