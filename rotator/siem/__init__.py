"""What a SIEM is told: each record of the evidence as an OCSF event, or as CEF, and the ways to hand it over."""
