"""What every room stands on: clock, ids, config, home, keys, log, metrics, opening a database.

Never knows mail, organisations or the network. Time and randomness enter the product here.
Doors: clock, ids, config.load, home.create/open_, keys.MasterKeyring/PurposeKeys, orgkeys.OrgKeys,
database.connect, durable.write, log.event, metrics.count, errors.
"""
