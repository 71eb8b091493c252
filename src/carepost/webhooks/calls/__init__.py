"""What is still to be told to whom, and what became of each try: tables beside the log, in the journal's transactions.

Plain SQL alone touches them (`calls.rows`); the journal writes, the office reads. No PHI: ids, codes, times.
"""
