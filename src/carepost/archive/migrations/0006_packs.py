from django.db import migrations

from carepost.archive.tables import create_packs, drop_packs


class Migration(migrations.Migration):
    dependencies = [("archive", "0005_sums")]

    operations = [migrations.RunPython(create_packs, drop_packs)]
