"""What people see: pages, API, command line, and the one composition root."""
