from django.db import migrations

from carepost.templates.views_sql import create, drop


class Migration(migrations.Migration):
    dependencies = [("templates", "0001_first")]

    operations = [migrations.RunPython(create, drop)]
