"""The load generator behind `smppgw load`."""
