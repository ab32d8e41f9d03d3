"""The soak: a thousand random incidents under random faults, in a time of their own; then the world is asked.

`python -m tests.soak` (or `make soak`) reads SEED and INCIDENTS from the environment; the same seed meets the same
faults. `--planted` shows that each of the planted bugs makes it fail; `--night N` plays one night again.
"""
