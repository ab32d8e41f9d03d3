"""A service far away, spoken to over its API: one question, the stream of what happens, and both as a `Service`."""
