from django.db import migrations

from carepost.tenancy.engine_views import create_v3, create_v4, drop_v3, drop_v4


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0005_retention")]

    operations = [
        migrations.RunPython(drop_v3, create_v3),
        migrations.RunPython(create_v4, drop_v4),
    ]
