from django.db import migrations

from carepost.keyring.views_sql import create, drop


class Migration(migrations.Migration):
    dependencies = [("keyring", "0001_first")]

    operations = [migrations.RunPython(create, drop)]
