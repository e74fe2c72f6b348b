"""What people and programs meet: the command line, and the service calls behind it."""
