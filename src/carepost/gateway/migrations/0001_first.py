
import carepost.tenancy.models.base
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenancy', '0006_alerts_view'),
    ]

    operations = [
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('provider', models.CharField(max_length=20)),
                ('settings', models.TextField()),
                ('sealed', models.BinaryField(default=b'')),
                ('created_at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('changed_at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('removed_at', models.BigIntegerField(default=0)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Secret',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('digest', models.BinaryField(max_length=32)),
                ('created_at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('ended_at', models.BigIntegerField(default=0)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gateway.connection')),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Seen',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('step', models.CharField(max_length=12)),
                ('at', models.BigIntegerField()),
                ('cause', models.CharField(blank=True, default='', max_length=60)),
                ('message', models.CharField(blank=True, default='', max_length=36)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='gateway.connection')),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(fields=('org', 'id'), name='gateway_connection_org_id'),
        ),
        migrations.AddConstraint(
            model_name='secret',
            constraint=models.UniqueConstraint(fields=('org', 'id'), name='gateway_secret_org_id'),
        ),
        migrations.AddConstraint(
            model_name='seen',
            constraint=models.UniqueConstraint(fields=('org', 'id'), name='gateway_seen_org_id'),
        ),
        migrations.AddConstraint(
            model_name='seen',
            constraint=models.UniqueConstraint(fields=('org', 'connection', 'step'), name='gateway_seen_step'),
        ),
    ]
