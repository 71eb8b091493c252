from django.db import migrations

from carepost.archive.tables import create_sums, drop_sums


class Migration(migrations.Migration):
    dependencies = [("archive", "0004_activity")]

    operations = [migrations.RunPython(create_sums, drop_sums)]
