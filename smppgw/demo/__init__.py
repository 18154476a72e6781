"""Show on one machine what the gateway is for.

Everything is real but the carriers: processes, sockets, webhooks, a store on disk.
"""
