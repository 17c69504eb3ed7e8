"""The way of one request: identify, document, execute, respond."""
