"""What is answered to who asks how things are: data, made in one place for the command line and for the web."""
