from django.db import migrations

from carepost.detection.views_sql import create, drop


class Migration(migrations.Migration):
    dependencies = [("detection", "0001_first")]

    operations = [migrations.RunPython(create, drop)]
