"""Peers to test against: what the tests, the demo and `smppgw simulate` talk to."""
