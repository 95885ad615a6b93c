"""The demo: drives the product as outside parties do, by HTTP and sockets only."""
