"""What people and scripts see of the running gateway, and what they may do to it."""
