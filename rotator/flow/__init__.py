"""Pure decisions, in reading order: exposure, incident, scope, playbook, plan, run, step, metrics.

A module here imports only from the ones on its left, and never a database, a queue, a vendor or a clock.
"""
