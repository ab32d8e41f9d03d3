"""The ledger: what was decided, asked and answered. It is the truth; queues are hints."""
