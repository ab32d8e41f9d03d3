"""The board: what a browser shows of the ledger. Pages only read; every act goes to the API."""
