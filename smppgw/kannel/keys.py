"""Every key of every group that Kannel knows: honoured, without a meaning here, or refused, and why.

The lists are those of Debian's bearerbox 1.4.5 (`bearerbox -g` prints them) and of opensmppbox. Honoured is what the
gateway does when it runs from kannel.conf; what has a place in gateway.toml is the importer's question.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Fate(Enum):
    """What becomes of a key."""

    HONOURED = "honoured"
    NOTHING = "means nothing here"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A fate, and its reason; what is honoured needs none."""

    fate: Fate
    reason: str = ""


_BOXES = "one process does the work of bearerbox, smsbox and opensmppbox: they need no way to each other"
_STORE = "messages are in a store of our own, on disk before they are answered for"
_RECEIPTS = "what waits for its receipt is in a store of our own; `smppgw import-dlr` takes over what Kannel waits for"
_LOG = "there is one log: [log] says what goes into it and where it goes is for whoever starts the gateway"
_WAP = "WAP is not spoken here: leave it to a Kannel of its own, or remove this"
_MODEM = "modems are not spoken to here: leave them to a Kannel of their own and reach it as an smsc = http or smpp"
_OTHERS = "only SMSCs that speak SMPP or HTTP, and fake ones, are spoken to here"
_OTA = "OTA settings are not made here: send the finished message with its UDH by sendsms"
_RADIUS = "RADIUS accounting is for WAP, and WAP is not spoken here"
_PROGRAM = "it belongs to a test program of Kannel, not to the gateway"
_PAM = "passwords are in the logins file; there is no PAM here"

_LISTS = "white-list white-list-regex black-list black-list-regex"

_SMSC_ALL = """smsc smsc-id smsc-admin-id denied-smsc-id allowed-smsc-id preferred-smsc-id allowed-prefix denied-prefix
    preferred-prefix unified-prefix reroute reroute-smsc-id reroute-receiver reroute-dlr alt-dcs throughput dead-start
    alt-charset reconnect-delay allowed-smsc-id-regex denied-smsc-id-regex preferred-smsc-id-regex
    allowed-prefix-regex denied-prefix-regex preferred-prefix-regex max-sms-octets instances"""
_SMSC_SMPP = """host port receive-port use-ssl smsc-username smsc-password system-id system-type address-range
    validityperiod wait-ack wait-ack-expire my-number source-addr-ton source-addr-npi dest-addr-ton dest-addr-npi
    bind-addr-ton bind-addr-npi service-type esm-class source-addr-autodetect enquire-link-interval
    max-pending-submits transceiver-mode interface-version priority msg-id-type connection-timeout alt-addr-charset
    ssl-client-certkey-file"""
_SMSC_HTTP = """system-type send-url port use-ssl connect-allow-ip smsc-username smsc-password dlr-url no-sender
    no-coding no-sep status-success-regex status-permfail-regex status-tempfail-regex max-pending-submits
    generic-param-username generic-param-password generic-param-from generic-param-to generic-param-text
    generic-param-udh generic-param-service generic-param-account generic-param-binfo generic-param-dlr-mask
    generic-param-dlr-err generic-param-dlr-url generic-param-dlr-mid generic-param-flash generic-param-mclass
    generic-param-mwi generic-param-coding generic-param-validity generic-param-deferred generic-param-foreign-id
    generic-param-meta-data generic-message-sent generic-status-sent generic-status-error generic-foreign-id-regex"""
_SMSC_FAKE = "host port connect-allow-ip"

READ_BY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "smpp": frozenset(f"{_SMSC_ALL} {_SMSC_SMPP}".split()),
        "http": frozenset(f"{_SMSC_ALL} {_SMSC_HTTP}".split()),
        "fake": frozenset(f"{_SMSC_ALL} {_SMSC_FAKE}".split()),
    }
)
"""What Kannel reads in a group smsc, by its type, of all that it lets stand there."""

_HONOURED = {
    "core": f"""admin-port admin-port-ssl admin-interface admin-password status-password admin-deny-ip admin-allow-ip
        log-level access-log access-log-time access-log-format access-log-clean unified-prefix {_LISTS}
        white-list-sender white-list-sender-regex black-list-sender black-list-sender-regex white-list-receiver
        white-list-receiver-regex black-list-receiver black-list-receiver-regex http-proxy-host http-proxy-port
        http-proxy-ssl http-proxy-exceptions http-proxy-exceptions-regex http-proxy-username http-proxy-password
        ssl-client-certkey-file ssl-server-cert-file ssl-server-key-file ssl-trusted-ca-file ssl-client-cipher-list
        ssl-server-cipher-list maximum-queue-length sms-incoming-queue-limit sms-outgoing-queue-limit sms-resend-freq
        sms-resend-retry sms-combine-concatenated-mo sms-combine-concatenated-mo-timeout http-timeout""",
    "smsbox": f"""smsbox-id sendsms-port sendsms-port-ssl sendsms-interface sendsms-url sendsms-chars global-sender
        log-level access-log access-log-time access-log-clean sms-length reply-couldnotfetch reply-couldnotrepresent
        reply-requestfailed reply-emptymessage {_LISTS} mo-recode http-request-retry http-queue-delay
        immediate-sendsms-reply max-pending-requests http-timeout""",
    "smsbox-route": "smsbox-id smsc-id shortcode",
    "smsc": f"{_SMSC_ALL} {_SMSC_SMPP} {_SMSC_HTTP} {_SMSC_FAKE}",
    "sms-service": f"""name keyword aliases url get-url post-url post-xml file text exec accepted-smsc
        accepted-smsc-regex accepted-account accepted-account-regex faked-sender max-messages concatenation split-chars
        split-suffix omit-empty header footer prefix suffix assume-plain-text accept-x-kannel-headers strip-keyword
        send-sender catch-all allowed-prefix allowed-prefix-regex denied-prefix denied-prefix-regex
        allowed-receiver-prefix allowed-receiver-prefix-regex denied-receiver-prefix denied-receiver-prefix-regex
        {_LISTS} dlr-url dlr-mask keyword-regex alt-charset""",
    "sendsms-user": f"""name username password user-deny-ip user-allow-ip forced-smsc default-smsc faked-sender
        default-sender max-messages concatenation split-chars split-suffix omit-empty header footer allowed-prefix
        denied-prefix dlr-url allowed-prefix-regex denied-prefix-regex {_LISTS}""",
    "smpp-tlv": "name tag length type smsc-id const",
    "opensmppbox": """opensmppbox-port our-system-id route-to-smsc smpp-logins log-level source-addr-ton
        source-addr-npi source-addr-auto dest-addr-ton dest-addr-npi timeout use-systemid-as-smsboxid""",
    "smsc-route": "smsc-id smsbox-id shortcode receiver-shortcode",
}

_NOTHING = {
    "core": {
        "smsbox-port smsbox-port-ssl smsbox-interface smsbox-max-pending box-deny-ip box-allow-ip": _BOXES,
        "store-file store-dump-freq store-type store-location": _STORE,
        "dlr-storage dlr-spool": _RECEIPTS,
        "log-file syslog-level syslog-facility": _LOG,
        "udp-deny-ip udp-allow-ip wdp-interface-name": "no WDP is spoken here, so that nobody has to be kept from it",
    },
    "smsbox": {
        "bearerbox-host bearerbox-port bearerbox-port-ssl": _BOXES,
        "log-file syslog-level syslog-facility": _LOG,
        "allowed-prefix denied-prefix": "Kannel's smsbox does not read them either: they count in sendsms-user",
    },
    "smsc": {
        "log-file log-level log-format": _LOG,
        "our-host our-port our-receiver-port": "the system chooses the address and the port of our end of a link",
    },
    "sms-service": {
        "forced-smsc default-smsc": "a reply goes out by the SMSC that its question came from, as in Kannel",
    },
    "opensmppbox": {
        "bearerbox-host bearerbox-port opensmppbox-id": _BOXES,
        "log-file": _LOG,
    },
    "store-db": {"id table hash": _STORE},
    "dlr-db": {
        """id table ttl field-smsc field-timestamp field-source field-destination field-service field-url field-mask
        field-status field-boxc-id""": _RECEIPTS,
    },
    "mssql-connection": {"id username password server database max-connections": _RECEIPTS},
    "mysql-connection": {"id host port username password database max-connections": _RECEIPTS},
    "oracle-connection": {"id username password tnsname max-connections": _RECEIPTS},
    "sdb-connection": {"id url max-connections": _RECEIPTS},
    "pgsql-connection": {"id host port username password database max-connections": _RECEIPTS},
    "sqlite-connection": {"id database max-connections lock-timeout": _RECEIPTS},
    "sqlite3-connection": {"id database max-connections lock-timeout": _RECEIPTS},
    "redis-connection": {"id host port password database max-connections idle-timeout": _RECEIPTS},
    "cassandra-connection": {"id host port username password database max-connections idle-timeout": _RECEIPTS},
    "test-ppg": {"retries pi-ssl ssl-client-certkey-file ssl-trusted-ca-file": _PROGRAM},
    "configuration": {"push-url content-file pap-file username password": _PROGRAM},
}

_REFUSED = {
    "core": {"wapbox-port wapbox-port-ssl": _WAP},
    "smsbox": {
        "sendota-url": _OTA,
        "xmlrpc-url": "XML-RPC was never finished in Kannel; XML documents go to the sendsms URL",
    },
    "smsc": {
        """modemtype modem-type device speed pin sim-buffering sms-center max-error-count login-prompt
        password-prompt""": _MODEM,
        """alt-host alt-port keepalive smsc_nua home_nua wait_report ois-debug-level phone sender-prefix flow-control
        window idle-timeout appname ussdc session-length notification-pid notification-addr no-dlr""": _OTHERS,
    },
    "opensmppbox": {"enable-pam pam-acl": _PAM},
    "wapbox": {
        """bearerbox-host timer-freq url-map map-url map-url-max map-url-0 map-url-1 map-url-2 map-url-3 map-url-4
        map-url-5 map-url-6 map-url-7 map-url-8 map-url-9 device-home log-file log-level syslog-level syslog-facility
        smart-errors access-log access-log-time access-log-clean http-interface-name concatenation max-messages
        wml-strict http-timeout""": _WAP,
    },
    "wap-url-map": {
        "name url map-url send-msisdn-query send-msisdn-header send-msisdn-format accept-cookies": _WAP,
    },
    "wap-user-map": {"name user pass msisdn": _WAP},
    "wtls": {"certificate-file privatekey-file privatekey-password": _WAP},
    "ppg": {
        """ppg-url ppg-port ppg-ssl-port trusted-pi concurrent-pushes users ppg-allow-ip ppg-deny-ip
        ssl-server-cert-file ssl-server-key-file global-sender default-smsc default-dlr-url ppg-smsbox-id
        service-name""": _WAP,
    },
    "wap-push-user": {
        """wap-push-user ppg-username ppg-password country-prefix allowed-prefix allowed-prefix-regex denied-prefix
        denied-prefix-regex white-list white-list-regex black-list-regex black-list deny-ip allow-ip forced-smsc
        default-smsc dlr-url smsbox-id""": _WAP,
    },
    "ota-setting": {
        """ota-id location service ipaddress phonenumber bearer connection calltype speed pppsecurity authentication
        login secret""": _OTA,
    },
    "ota-bookmark": {"ota-id name url": _OTA},
    "modems": {
        """id name detect-string detect-string2 init-string speed enable-hwhs need-sleep no-pin no-smsc sendline-sleep
        keepalive-cmd broken message-storage message-start enable-mms reset-string hardware-flow-control""": _MODEM,
    },
    "radius-acct": {
        """our-host our-port remote-host remote-port remote-timeout nas-ports secret-nas secret-radius
        unified-prefix""": _RADIUS,
    },
}

SMSC_TYPES = frozenset(READ_BY)
"""Of the key smsc in a group smsc; any other is refused."""

SINGLE = frozenset(
    {
        *("core", "wapbox", "wtls", "ppg", "test-ppg", "configuration", "smsbox", "dlr-db", "store-db", "radius-acct"),
        "opensmppbox",
    }
)
"""Groups that count once: of several the last."""


def judgements() -> Iterator[tuple[str, str, Judgement]]:
    """Every group and key with what becomes of it; a key that is in two lists comes twice."""
    for group, words in _HONOURED.items():
        for key in dict.fromkeys(words.split()):
            yield group, key, Judgement(Fate.HONOURED)
    for fate, table in ((Fate.NOTHING, _NOTHING), (Fate.REFUSED, _REFUSED)):
        for group, reasons in table.items():
            for listed, reason in reasons.items():
                for key in listed.split():
                    yield group, key, Judgement(fate, reason)


def _known() -> dict[str, Mapping[str, Judgement]]:
    known: dict[str, dict[str, Judgement]] = {}
    for group, key, judgement in judgements():
        known.setdefault(group, {})[key] = judgement
    return {group: MappingProxyType(table) for group, table in known.items()}


KNOWN: Mapping[str, Mapping[str, Judgement]] = MappingProxyType(_known())
"""What becomes of each key, by group."""


def judge(group: str, key: str, smsc: str | None = None) -> Judgement:
    """Of a known key; `smsc` is the type of the SMSC when the group is one."""
    judgement = KNOWN[group][key]
    if group != "smsc" or judgement.fate is Fate.NOTHING:
        return judgement
    if smsc not in SMSC_TYPES:
        return Judgement(Fate.REFUSED, f"smsc = {smsc}: {_MODEM if smsc == 'at' else _OTHERS}")
    if key not in READ_BY[smsc]:
        return Judgement(Fate.NOTHING, f"Kannel does not read it in an smsc = {smsc} either")
    return judgement
