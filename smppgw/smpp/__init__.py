"""SMPP links: the listener for ESMEs and the connectors to SMSCs."""
