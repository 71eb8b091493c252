from django.db import migrations

from carepost.archive.tables import create, drop


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_first")]

    operations = [migrations.RunPython(create, drop)]
