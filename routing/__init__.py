"""Decisions about messages, as pure functions of the message, the tables and the time."""
