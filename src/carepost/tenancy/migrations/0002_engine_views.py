from django.db import migrations

from carepost.tenancy.engine_views import create_v1, drop_v1


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_first")]

    operations = [migrations.RunPython(create_v1, drop_v1)]
