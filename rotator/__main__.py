"""Run the command line as `python -m rotator`."""

from rotator.cli.main import main

main()
