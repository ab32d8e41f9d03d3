"""What an alarm is made of, whoever gives it: reports, and packages gone bad with the evidence of where they were."""
