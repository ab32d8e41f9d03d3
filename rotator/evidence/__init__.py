"""Evidence that cannot be altered unseen: checkpoints over every chain, packs for auditors, and the check of both."""
