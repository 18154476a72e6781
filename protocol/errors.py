"""What can be wrong, by what it costs."""

from protocol.consts import Status


class FrameError(Exception):
    """The stream cannot be cut into PDUs any more: this link ends (after a generic_nack)."""

    def __init__(self, reason: str, status: Status = Status.RINVCMDLEN, sequence: int = 0) -> None:
        super().__init__(reason)
        self.status = status
        self.sequence = sequence


class PduError(Exception):
    """One PDU is wrong: its peer gets `status`, and the link goes on."""

    def __init__(self, reason: str, status: Status) -> None:
        super().__init__(reason)
        self.status = status


class LocalError(Exception):
    """We asked for something impossible: a bug of ours, never the peer's doing."""
