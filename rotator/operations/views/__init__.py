"""The views, by subject: a command imports that of its own."""
