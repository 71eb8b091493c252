"""phi: what a text says about a person's health. Identifiers, vocabulary, scores, and the text of documents.

Pure: bytes or text in, findings out; never a socket, a database, a clock, and never a found value kept or shown.
"""
