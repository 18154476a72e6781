"""What the groups of kannel.conf mean: one frozen model for each, with Kannel's own defaults."""

from dataclasses import dataclass
from typing import Annotated

from smppgw.kannel.conf import Place

Regex = Annotated[str | None, "regex"]
"""In Python's syntax, to be searched for in the whole text."""
Comma = Annotated[tuple[tuple[str, ...], ...], "unified-prefix"]
"""For each rule the prefix that replaces, and those that it replaces."""

_NOWHERE = Place("", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Of bearerbox; None is what Kannel leaves off, or takes from elsewhere."""

    place: Place = _NOWHERE
    admin_port: int | None = None
    admin_port_ssl: bool = False
    admin_interface: str | None = None
    admin_password: str | None = None
    status_password: str | None = None
    admin_deny_ip: str | None = None
    admin_allow_ip: str | None = None
    log_level: int = 0
    access_log: str | None = None
    access_log_time: str | None = None
    access_log_format: str | None = None
    access_log_clean: bool = False
    unified_prefix: Comma = ()
    white_list_sender: str | None = None
    white_list_sender_regex: Regex = None
    black_list_sender: str | None = None
    black_list_sender_regex: Regex = None
    white_list_receiver: str | None = None
    white_list_receiver_regex: Regex = None
    black_list_receiver: str | None = None
    black_list_receiver_regex: Regex = None
    white_list: str | None = None
    """The old name of white_list_sender, as are the next three of theirs."""
    white_list_regex: Regex = None
    black_list: str | None = None
    black_list_regex: Regex = None
    http_proxy_host: str | None = None
    http_proxy_port: int = 0
    http_proxy_ssl: bool = False
    http_proxy_exceptions: str | None = None
    http_proxy_exceptions_regex: Regex = None
    http_proxy_username: str | None = None
    http_proxy_password: str | None = None
    http_timeout: int = 240
    ssl_client_certkey_file: str | None = None
    ssl_server_cert_file: str | None = None
    ssl_server_key_file: str | None = None
    ssl_trusted_ca_file: str | None = None
    ssl_client_cipher_list: str | None = None
    ssl_server_cipher_list: str | None = None
    dlr_storage: str = "internal"
    dlr_spool: str | None = None
    maximum_queue_length: int | None = None
    sms_incoming_queue_limit: int = -1
    sms_outgoing_queue_limit: int | None = None
    sms_resend_freq: int = 60
    sms_resend_retry: int = -1
    sms_combine_concatenated_mo: bool = True
    sms_combine_concatenated_mo_timeout: int = 1800

    @property
    def queue_limit(self) -> int:
        """Messages that may wait to be sent; -1: any number."""
        for limit in (self.sms_outgoing_queue_limit, self.maximum_queue_length):
            if limit is not None:
                return limit
        return 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Smsc:
    """A link, or several alike, to an SMS centre of any type."""

    place: Place = _NOWHERE
    smsc: str = ""
    smsc_id: str | None = None
    smsc_admin_id: str | None = None
    allowed_smsc_id: tuple[str, ...] = ()
    denied_smsc_id: tuple[str, ...] = ()
    preferred_smsc_id: tuple[str, ...] = ()
    allowed_smsc_id_regex: Regex = None
    denied_smsc_id_regex: Regex = None
    preferred_smsc_id_regex: Regex = None
    allowed_prefix: tuple[str, ...] = ()
    denied_prefix: tuple[str, ...] = ()
    preferred_prefix: tuple[str, ...] = ()
    allowed_prefix_regex: Regex = None
    denied_prefix_regex: Regex = None
    preferred_prefix_regex: Regex = None
    unified_prefix: Comma = ()
    reroute: bool = False
    reroute_smsc_id: str | None = None
    reroute_receiver: str | None = None
    reroute_dlr: bool = False
    alt_dcs: int = 0
    throughput: float = 0.0
    dead_start: bool = False
    alt_charset: str | None = None
    reconnect_delay: int = 10
    max_sms_octets: int = 140
    instances: int = 1
    host: str | None = None
    port: int | None = None
    receive_port: int | None = None
    use_ssl: bool = False
    ssl_client_certkey_file: str | None = None
    smsc_username: str | None = None
    smsc_password: str | None = None
    system_id: str | None = None
    """The old name of smsc_username."""
    system_type: str | None = None
    address_range: str | None = None
    validityperiod: int | None = None
    wait_ack: int = 60
    wait_ack_expire: int = 1
    my_number: str | None = None
    source_addr_ton: int = -1
    source_addr_npi: int = -1
    dest_addr_ton: int = -1
    dest_addr_npi: int = -1
    bind_addr_ton: int = 0
    bind_addr_npi: int = 0
    service_type: str | None = None
    esm_class: int = 3
    source_addr_autodetect: bool = True
    enquire_link_interval: int = 30
    max_pending_submits: int = 10
    transceiver_mode: bool = False
    interface_version: int = 34
    priority: int = 0
    msg_id_type: int | None = None
    connection_timeout: int = 300
    alt_addr_charset: str | None = None
    connect_allow_ip: str | None = None
    send_url: str | None = None
    dlr_url: str | None = None
    no_sender: bool = False
    no_coding: bool = False
    no_sep: bool = False
    status_success_regex: Regex = None
    status_permfail_regex: Regex = None
    status_tempfail_regex: Regex = None
    generic_param_username: str | None = None
    generic_param_password: str | None = None
    generic_param_from: str | None = None
    generic_param_to: str | None = None
    generic_param_text: str | None = None
    generic_param_udh: str | None = None
    generic_param_service: str | None = None
    generic_param_account: str | None = None
    generic_param_binfo: str | None = None
    generic_param_dlr_mask: str | None = None
    generic_param_dlr_err: str | None = None
    generic_param_dlr_url: str | None = None
    generic_param_dlr_mid: str | None = None
    generic_param_flash: str | None = None
    generic_param_mclass: str | None = None
    generic_param_mwi: str | None = None
    generic_param_coding: str | None = None
    generic_param_validity: str | None = None
    generic_param_deferred: str | None = None
    generic_param_foreign_id: str | None = None
    generic_param_meta_data: str | None = None
    generic_message_sent: str | None = None
    generic_status_sent: int | None = None
    generic_status_error: int | None = None
    generic_foreign_id_regex: Regex = None

    @property
    def username(self) -> str | None:
        return self.system_id if self.smsc_username is None else self.smsc_username

    @property
    def id(self) -> str:
        """Kannel takes its name where it has no smsc-id."""
        return self.name if self.smsc_id is None else self.smsc_id

    @property
    def name(self) -> str:
        """What the status page of Kannel calls it."""
        if self.smsc == "smpp":
            send, receive = self.smpp_ports
            where = f"{self.host}:{send}/{send if self.transceiver_mode else receive}"
            return f"{'S' if self.use_ssl else ''}SMPP:{where}:{self.username}:{self.system_type}"
        if self.smsc == "http":
            return f"HTTP:{self.system_type or ''}:{self.port or 0}"
        return f"{self.smsc.upper()}:{self.port or 0}"

    @property
    def smpp_ports(self) -> tuple[int, int]:
        """Where it sends and where it receives by links of their own; 0: not at all."""
        port, receive = self.port or 0, self.receive_port or 0
        return (port, 0 if self.transceiver_mode else receive) if port or receive else (2775, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Smsbox:
    """The HTTP side: sendsms, and what brings messages to applications."""

    place: Place = _NOWHERE
    smsbox_id: str | None = None
    sendsms_port: int | None = None
    sendsms_port_ssl: bool = False
    sendsms_interface: str | None = None
    sendsms_url: str = "/cgi-bin/sendsms"
    sendsms_chars: str = "0123456789 +-"
    global_sender: str | None = None
    log_level: int = 0
    access_log: str | None = None
    access_log_time: str | None = None
    access_log_clean: bool = False
    sms_length: int = 140
    reply_couldnotfetch: str = "Could not fetch content, sorry."
    reply_couldnotrepresent: str = "Result could not be represented as an SMS message."
    reply_requestfailed: str = "Request Failed"
    reply_emptymessage: str = "<Empty reply from service provider>"
    white_list: str | None = None
    white_list_regex: Regex = None
    black_list: str | None = None
    black_list_regex: Regex = None
    mo_recode: bool = False
    http_request_retry: int = 0
    http_queue_delay: int = 10
    immediate_sendsms_reply: bool = False
    max_pending_requests: int = 512
    http_timeout: int = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class SendsmsUser:
    """Who may ask for sendsms."""

    place: Place = _NOWHERE
    username: str | None = None
    password: str | None = None
    name: str | None = None
    user_deny_ip: str | None = None
    user_allow_ip: str | None = None
    forced_smsc: str | None = None
    default_smsc: str | None = None
    faked_sender: str | None = None
    default_sender: str | None = None
    max_messages: int = 1
    concatenation: bool = False
    split_chars: str | None = None
    split_suffix: str | None = None
    omit_empty: bool = False
    header: str | None = None
    footer: str | None = None
    allowed_prefix: tuple[str, ...] = ()
    denied_prefix: tuple[str, ...] = ()
    allowed_prefix_regex: Regex = None
    denied_prefix_regex: Regex = None
    white_list: str | None = None
    white_list_regex: Regex = None
    black_list: str | None = None
    black_list_regex: Regex = None
    dlr_url: str | None = None

    @property
    def service(self) -> str | None:
        """What logs and %n call it."""
        return self.username if self.name is None else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsService:
    """What becomes of a message from a mobile."""

    place: Place = _NOWHERE
    name: str | None = None
    keyword: str | None = None
    keyword_regex: Regex = None
    aliases: tuple[str, ...] = ()
    url: str | None = None
    """The old name of get_url."""
    get_url: str | None = None
    post_url: str | None = None
    post_xml: str | None = None
    file: str | None = None
    text: str | None = None
    exec: str | None = None
    accepted_smsc: tuple[str, ...] = ()
    accepted_smsc_regex: Regex = None
    accepted_account: tuple[str, ...] = ()
    accepted_account_regex: Regex = None
    faked_sender: str | None = None
    max_messages: int = 1
    concatenation: bool = False
    split_chars: str | None = None
    split_suffix: str | None = None
    omit_empty: bool = False
    header: str | None = None
    footer: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    assume_plain_text: bool = False
    accept_x_kannel_headers: bool = False
    strip_keyword: bool = False
    send_sender: bool = False
    catch_all: bool = False
    allowed_prefix: tuple[str, ...] = ()
    denied_prefix: tuple[str, ...] = ()
    allowed_prefix_regex: Regex = None
    denied_prefix_regex: Regex = None
    allowed_receiver_prefix: tuple[str, ...] = ()
    denied_receiver_prefix: tuple[str, ...] = ()
    allowed_receiver_prefix_regex: Regex = None
    denied_receiver_prefix_regex: Regex = None
    white_list: str | None = None
    white_list_regex: Regex = None
    black_list: str | None = None
    black_list_regex: Regex = None
    dlr_url: str | None = None
    dlr_mask: int = 0
    alt_charset: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsboxRoute:
    """Which smsbox or ESME a message from a mobile goes to; of smsc ids and short codes given both must match."""

    place: Place = _NOWHERE
    smsbox_id: str | None = None
    smsc_id: tuple[str, ...] = ()
    shortcode: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppTlv:
    """An optional parameter that meta-data may name, or that every message gets."""

    place: Place = _NOWHERE
    name: str | None = None
    tag: int | None = None
    length: int | None = None
    type: str | None = None
    smsc_id: tuple[str, ...] = ()
    const: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSmppBox:
    """The SMPP side for ESMEs."""

    place: Place = _NOWHERE
    opensmppbox_port: int = 2345
    our_system_id: str | None = None
    route_to_smsc: str | None = None
    smpp_logins: str | None = None
    log_level: int = 0
    source_addr_ton: int = -1
    source_addr_npi: int = -1
    source_addr_auto: bool = False
    dest_addr_ton: int = -1
    dest_addr_npi: int = -1
    timeout: int = 300
    use_systemid_as_smsboxid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscRoute:
    """Which smsc an ESME's message is for, by its sender, by the ESME, by both, or by its receiver."""

    place: Place = _NOWHERE
    smsc_id: str | None = None
    smsbox_id: tuple[str, ...] = ()
    shortcode: tuple[str, ...] = ()
    receiver_shortcode: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DlrDb:
    """The columns of the table where Kannel keeps what waits for a receipt."""

    place: Place = _NOWHERE
    id: str | None = None
    table: str | None = None
    ttl: int = 0
    field_smsc: str | None = None
    field_timestamp: str | None = None
    field_source: str | None = None
    field_destination: str | None = None
    field_service: str | None = None
    field_url: str | None = None
    field_mask: str | None = None
    field_status: str | None = None
    field_boxc_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the database of that id; which keys count depends on its kind."""

    place: Place = _NOWHERE
    kind: str = ""
    """mysql, pgsql, redis, ..."""
    id: str | None = None
    host: str | None = None
    port: int | None = None
    username: str | None = None
    password: str | None = None
    database: str | None = None
    url: str | None = None
    server: str | None = None
    tnsname: str | None = None
    lock_timeout: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kannel:
    """A whole set-up."""

    core: Core = Core()
    smscs: tuple[Smsc, ...] = ()
    smsbox: Smsbox | None = None
    sendsms_users: tuple[SendsmsUser, ...] = ()
    sms_services: tuple[SmsService, ...] = ()
    smsbox_routes: tuple[SmsboxRoute, ...] = ()
    smpp_tlvs: tuple[SmppTlv, ...] = ()
    opensmppbox: OpenSmppBox | None = None
    smsc_routes: tuple[SmscRoute, ...] = ()
    dlr_db: DlrDb | None = None
    connections: tuple[Connection, ...] = ()
