"""What is looked at to say whether the rotator can work: its own machine, and others, who are asked and not changed."""
