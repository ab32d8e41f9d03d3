"""What issues short-lived credentials in the stead of a kind, made by a machine: a module for each provider."""
