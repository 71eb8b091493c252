from django.db import migrations

from carepost.webhooks.calls import tables


class Migration(migrations.Migration):
    dependencies = [("webhookcalls", "0001_tables")]

    operations = [migrations.RunPython(tables.create_about, tables.drop_about)]
