"""What happened to every message, for people who ask: noted on the way, written by a process of its own."""
