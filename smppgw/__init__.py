"""The gateway: everything that touches sockets, disks and clocks."""

__version__ = "0.1.0"
