"""Celery, and nothing else: each task is one call and carries only ids."""
