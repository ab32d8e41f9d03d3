"""A simulated quarter: ninety days of hygiene, incidents and drills in minutes, and a report that others recompute."""
