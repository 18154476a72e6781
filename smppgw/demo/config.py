"""The config of the gateway in a story: an ESME, a cluster of two SMSCs, what takes over from it, and whatever else."""

from collections.abc import Iterable

from smppgw.demo.programs import Gateway, Smsc

_CONFIG = """
[gateway]
name = "demo"
[[listeners]]
host = "127.0.0.1"
port = {port}
[http]
port = {http}
[store]
path = "data"
[log]
format = "json"
access = "access.log"
[accounts.demo]
password = "secret"
deliver_retry = ["500ms", "1s"]
{more}
[groups.cluster]
active = ["smpp1", "smpp2"]
backup = ["{backup}"]
backup_after = "500ms"
hand_back_after = "1s"
[[routes]]
name = "cluster"
to = "cluster"
"""
_CONNECTOR = """
[connectors.{name}]
host = "127.0.0.1"
port = {port}
system_id = "gateway"
password = "secret"
binds = {binds}
rebind = ["200ms", "500ms"]
retry = ["500ms", "1s"]
id_form = "hex"
receipt_id_form = "decimal"
"""


def config(gateway: Gateway, smscs: Iterable[Smsc], backup: str, *, binds: int = 1, more: str = "") -> str:
    """As TOML. Routes in `more` come before the one to the cluster."""
    for smsc in smscs:
        more += _CONNECTOR.format(name=smsc.name.lower(), port=smsc.port, binds=binds)
    return _CONFIG.format(port=gateway.port, http=gateway.http, backup=backup, more=more)
