"""What people do to incidents and runs: each once, for the command line here, for the API, and for one far away."""
