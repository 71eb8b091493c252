import carepost.tenancy.models.base
import django.db.models.deletion
from django.db import migrations, models

from carepost.destinations.views_sql import create_sending, drop_sending


class Migration(migrations.Migration):

    dependencies = [
        ('destinations', '0003_bounces'),
        ('tenancy', '0009_suppression'),
    ]

    operations = [
        migrations.CreateModel(
            name='Asked',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('source', models.CharField(blank=True, default='', max_length=45)),
                ('provider', models.CharField(max_length=255)),
                ('reaction', models.CharField(max_length=40)),
                ('since', models.BigIntegerField()),
                ('until', models.BigIntegerField()),
                ('lifted_at', models.BigIntegerField(default=0)),
                ('lifted_by', models.CharField(blank=True, default='', max_length=80)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='destinations_asked_org_id'), models.UniqueConstraint(fields=('org', 'source', 'provider', 'reaction'), name='destinations_asked_once')],
            },
        ),
        migrations.CreateModel(
            name='ProviderLimit',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=255)),
                ('connections', models.IntegerField(default=0)),
                ('messages', models.IntegerField(default=0)),
                ('per_minute', models.IntegerField(default=0)),
                ('per_hour', models.IntegerField(default=0)),
                ('dials', models.IntegerField(default=0)),
                ('changed_at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='destinations_providerlimit_org_id'), models.UniqueConstraint(fields=('org', 'provider'), name='destinations_limit_provider')],
            },
        ),
        migrations.CreateModel(
            name='SendingAddress',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('ip', models.CharField(max_length=45)),
                ('helo', models.CharField(blank=True, default='', max_length=255)),
                ('pool', models.CharField(max_length=40)),
                ('state', models.CharField(max_length=10)),
                ('warms_from', models.IntegerField(default=0)),
                ('usual', models.IntegerField(default=0)),
                ('created_at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='destinations_sendingaddress_org_id'), models.UniqueConstraint(fields=('org', 'ip'), name='destinations_address_ip')],
            },
        ),
        migrations.CreateModel(
            name='SendingPool',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40)),
                ('streams', models.CharField(blank=True, default='', max_length=80)),
                ('domain', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='destinations_sendingpool_org_id'), models.UniqueConstraint(fields=('org', 'name'), name='destinations_pool_name')],
            },
        ),
        migrations.CreateModel(
            name='WarmDay',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('ip', models.CharField(max_length=45)),
                ('provider', models.CharField(max_length=255)),
                ('day', models.IntegerField()),
                ('cap', models.IntegerField()),
                ('delivered', models.IntegerField(default=0)),
                ('deferred', models.IntegerField(default=0)),
                ('hard', models.IntegerField(default=0)),
                ('complained', models.IntegerField(default=0)),
                ('named', models.BooleanField(default=False)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='destinations_warmday_org_id'), models.UniqueConstraint(fields=('org', 'ip', 'provider', 'day'), name='destinations_warm_day_once')],
            },
        ),
            migrations.RunPython(create_sending, drop_sending),
    ]
