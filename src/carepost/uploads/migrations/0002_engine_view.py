from django.db import migrations

from carepost.uploads.views_sql import create, drop


class Migration(migrations.Migration):
    dependencies = [("uploads", "0001_first")]

    operations = [migrations.RunPython(create, drop)]
