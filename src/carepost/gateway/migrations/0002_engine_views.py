from django.db import migrations

from carepost.gateway.views_sql import create, drop


class Migration(migrations.Migration):
    dependencies = [("gateway", "0001_first")]

    operations = [migrations.RunPython(create, drop)]
