"""HTTPS carriers: connectors that send by request and hear of receipts by webhook or by asking."""
