"""Where messages are kept until they are done."""
