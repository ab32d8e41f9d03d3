"""What an operator configures: `rotator.toml`, each key of its top level also `ROTATOR_…`.

`connections.py`, `credentials.py` and `consumers.py` are its tables, `configuration.py` is the whole, and `file.py`
reads it.
"""
