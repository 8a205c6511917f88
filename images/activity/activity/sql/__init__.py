"""Every query of the service, one to a file."""
