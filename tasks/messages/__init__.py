"""Messages in and out of every hospital, and the lines to them."""
