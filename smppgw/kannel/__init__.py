"""What Kannel's configuration files say, and what it is here."""
