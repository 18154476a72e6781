"""The console: what the gateway does, in a browser, by a process of its own."""
