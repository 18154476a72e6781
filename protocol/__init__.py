"""SMPP 3.4 as values: bytes in, events and bytes out. Nothing here touches a socket or a clock."""
