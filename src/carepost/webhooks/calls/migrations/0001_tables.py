from django.db import migrations

from carepost.webhooks.calls import tables


class Migration(migrations.Migration):

    initial = True

    dependencies = [("archive", "0003_segments")]

    operations = [migrations.RunPython(tables.create, tables.drop)]
