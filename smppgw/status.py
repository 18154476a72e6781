"""`smppgw status`: the overview as JSON for scripts, and readiness as the exit status."""

import json
import sys

from smppgw.client import ApiError, Client

READY, NOT_READY, UNKNOWN = 0, 1, 2


def status(client: Client) -> int:
    """The exit status."""
    try:
        overview = client.get("/v1/admin/overview")
    except ApiError as error:
        print(error, file=sys.stderr)
        return UNKNOWN
    print(json.dumps(overview, indent=2))
    return READY if overview["ready"] else NOT_READY
