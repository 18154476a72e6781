"""What Kannel says of an SMSC's refusal: `NACK/0x0000000b/Invalid Destination Address`."""

RETRIED = frozenset({0x08, 0x14, 0x58, 0x64})
"""Statuses that Kannel sends again after."""

EXCEEDED = b"Retries Exceeded"
EXPIRED = b"validity expired"
NO_SMSC = b"no SMSC"

_WORDS: dict[int, bytes] = {
    0x000: b"OK",
    0x001: b"Message Length is invalid",
    0x002: b"Command Length is invalid",
    0x003: b"Invalid Command ID",
    0x004: b"Incorrect BIND Status for given command",
    0x005: b"ESME Already in Bound State",
    0x006: b"Invalid Priority Flag",
    0x007: b"Invalid Registered Delivery Flag",
    0x008: b"System Error",
    0x00A: b"Invalid Source Address",
    0x00B: b"Invalid Destination Address",
    0x00D: b"Bind Failed",
    0x00E: b"Invalid Password",
    0x00F: b"Invalid System ID",
    0x011: b"Cancel SM Failed",
    0x013: b"Replace SM Failed",
    0x014: b"Message Queue Full",
    0x015: b"Invalid Service Type",
    0x033: b"Invalid number of destinations",
    0x034: b"Invalid Distribution List Name",
    0x040: b"Destination flag is invalid",
    0x042: b"Submit w/replace not supported/allowed",
    0x043: b"Invalid esm_class field data",
    0x044: b"Cannot Submit to Distribution List",
    0x045: b"Submit failed",
    0x048: b"Invalid Source address TON",
    0x049: b"Invalid Source address NPI",
    0x050: b"Invalid Destination address TON",
    0x051: b"Invalid Destination address NPI",
    0x053: b"Invalid system_type field",
    0x054: b"Invalid replace_if_present flag",
    0x055: b"Invalid number of messages",
    0x058: b"Throttling error",
    0x061: b"Invalid Scheduled Delivery Time",
    0x062: b"Invalid message validity period",
    0x063: b"Predefined Message ID is Invalid or specific predefined message was not found",
    0x064: b"ESME Receiver Temporary App Error Code",
    0x065: b"ESME Receiver Permanent App Error Code",
    0x066: b"ESME Receiver Reject Message Error Code",
    0x067: b"query_sm request failed",
    0x0C0: b"Error in optional part of the PDU Body",
    0x0C1: b"TLV not allowed",
    0x0C2: b"Invalid Parameter Length",
    0x0C3: b"Expected TLV missing",
    0x0C4: b"Invalid TLV value",
    0x0FE: b"Transaction Delivery Failure",
    0x0FF: b"Unknown Error",
    0x100: b"ESME Not authorized to use specified service_type",
    0x101: b"ESME Prohibited from using specified operation",
    0x102: b"Specified service_type is unavailable",
    0x103: b"Specified service_type is denied",
    0x104: b"Invalid Data Coding Scheme",
    0x105: b"Source Address Sub unit is invalid",
    0x106: b"Destination Address Sub unit is invalid",
    0x107: b"Broadcast Frequency Interval is invalid",
    0x108: b"Broadcast Alias Name is invalid",
    0x109: b"Broadcast Area Format is invalid",
    0x10A: b"Number of Broadcast Areas is invalid",
    0x10B: b"Broadcast Content Type is invalid",
    0x10C: b"Broadcast Message Class is invalid",
    0x10D: b"broadcast_sm operation failed",
    0x10E: b"broadcast_query_sm operation failed",
    0x10F: b"broadcast_cancel_sm operation failed",
    0x110: b"Number of Repeated Broadcasts is invalid",
    0x111: b"Broadcast Service Group is invalid",
    0x112: b"Broadcast Channel Indicator is invalid",
}


def words(status: int) -> bytes:
    """Kannel's own for each status."""
    found = _WORDS.get(status)
    if found is not None:
        return found
    if 0x400 <= status <= 0x4FF:
        return b"Vendor-specific error, please refer to your SMPP provider"
    return b"Unknown/Reserved"


def refusal(status: int) -> bytes:
    """The text of a report after `NACK/`."""
    return EXCEEDED if status in RETRIED else b"0x%08x/%b" % (status, words(status))
