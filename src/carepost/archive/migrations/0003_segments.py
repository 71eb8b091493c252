from django.db import migrations

from carepost.archive.tables import create_segments


class Migration(migrations.Migration):
    dependencies = [("archive", "0002_tables")]

    operations = [migrations.RunPython(create_segments, migrations.RunPython.noop)]
