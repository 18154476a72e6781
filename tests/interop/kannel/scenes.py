"""The kannel.conf of each scene; `{admin}`, `{box}`, `{sendsms}`, `{smsc}`, `{down}`, `{catcher}` are ports."""

CORE = """
group = core
admin-port = {admin}
admin-password = secret
status-password = look
admin-interface = 127.0.0.1
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
dlr-storage = internal
sms-resend-freq = 1
sms-resend-retry = 1
"""


def smsc(name: str, more: str = "", port: str = "{smsc}") -> str:
    return f"""
group = smsc
smsc = smpp
smsc-id = {name}
host = 127.0.0.1
port = {port}
smsc-username = {name}
smsc-password = secret
system-type = ""
transceiver-mode = true
reconnect-delay = 1
{more}"""


def user(name: str, more: str = "") -> str:
    return f"""
group = sendsms-user
username = {name}
password = foobar
{more}"""


def service(keyword: str, more: str) -> str:
    return f"""
group = sms-service
keyword = {keyword}
{more}"""


ESCAPES = "k=%k&s=%s&S=%S&s2=%s&r=%r&a=%a&b=%b&e=%e&t=%t&T=%T&p=%p&P=%P&q=%q&Q=%Q&i=%i&I=%I&d=%d&R=%R&A=%A&F=%F&n=%n&c=%c&m=%m"
ESCAPES += "&M=%M&C=%C&u=%u&B=%B&o=%o&O=%O&f=%f&x=%x&v=%v&V=%V&D=%D&N=%N&H=%H&pc=%%&unknown=%z&meta=%#smpp#one#"
APP = "http://127.0.0.1:{catcher}"

MAIN = "".join((
    CORE,
    f'black-list = "{APP}/lists/core-black"\n',
    """
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
mo-recode = true
""",
    # Sends whatever is not meant for another.
    smsc("one", 'denied-smsc-id = "two;latin;typed;plain;prefer;down;narrow"\ndenied-prefix = "4499;4498"\n'),
    smsc("two", "allowed-smsc-id = two\n"),
    smsc("latin", "allowed-smsc-id = latin\nalt-charset = ISO-8859-1\n"),
    smsc(
        "typed",
        "allowed-smsc-id = typed\nservice-type = WAP\nsource-addr-ton = 3\nsource-addr-npi = 8\nsource-addr-autodetect = false\n"
        "dest-addr-ton = 0\ndest-addr-npi = 9\npriority = 2\nvalidityperiod = 90\nesm-class = 0\n",
    ),
    smsc("narrow", "allowed-smsc-id = narrow\nmax-sms-octets = 70\n"),
    smsc("prefer", 'preferred-smsc-id = prefer\ndenied-smsc-id = "two;latin;typed;plain;down;narrow"\nallowed-prefix = "4498"\n'),
    smsc("down", "allowed-smsc-id = down\n", port="{down}"),
    """
group = smpp-tlv
name = one
tag = 0x1401
type = octetstring
length = 20

group = smpp-tlv
name = two
tag = 0x1402
type = integer
length = 2

group = smpp-tlv
name = three
tag = 0x1403
type = nulterminated
length = 10
smsc-id = one
""",
    user("tester"),
    user("long", "max-messages = 10\nconcatenation = true\n"),
    user("many", "max-messages = 3\n"),
    user("split", 'max-messages = 5\nsplit-chars = " .,"\nsplit-suffix = "..."\n'),
    user("headed", 'max-messages = 4\nheader = "Head "\nfooter = " Foot"\n'),
    user("everything", 'max-messages = 4\nheader = "H:"\nfooter = ":F"\nsplit-chars = " "\nsplit-suffix = "+"\nconcatenation = true\n'),
    user("omit", "omit-empty = true\n"),
    user("zero", "max-messages = 0\n"),
    user("forced", "forced-smsc = two\n"),
    user("default", "default-smsc = two\n"),
    user("faked", "faked-sender = 12345\n"),
    user("sender", "default-sender = 54321\n"),
    user("nobody", 'user-deny-ip = "*.*.*.*"\n'),
    user("local", 'user-deny-ip = "*.*.*.*"\nuser-allow-ip = "10.0.0.1;127.0.0.*"\n'),
    user("elsewhere", 'user-deny-ip = "*.*.*.*"\nuser-allow-ip = 10.0.0.1\n'),
    user("alone", "user-allow-ip = 10.0.0.1\n"),
    user("white", f'white-list = "{APP}/lists/white"\n'),
    user("black", f'black-list = "{APP}/lists/black"\n'),
    user("nolist", f'white-list = "{APP}/lists/empty"\n'),
    user("prefix", 'allowed-prefix = "4477;4478"\ndenied-prefix = "4479"\n'),
    user("allow", "allowed-prefix = 4477\n"),
    user("deny", "denied-prefix = 4478\n"),
    user("whiteregex", "white-list-regex = ^4477\n"),
    user("blackregex", "black-list-regex = ^4478\n"),
    user("prefixregex", "allowed-prefix-regex = ^4477\n"),
    user("dlr", f'dlr-url = "{APP}/dlr?to=%p&from=user&d=%d"\n'),
    user("named", "name = counter\n"),
    # What mobiles ask for.
    service("default", f'get-url = "{APP}/default?from=%p&to=%P&text=%b"\nmax-messages = 0\n'),
    service("escapes", f'get-url = "{APP}/mo?{ESCAPES}"\ncatch-all = true\nmax-messages = 0\n'),
    service("words", f'get-url = "{APP}/words?p=%p&a=%s&b=%s&rest=%r"\nmax-messages = 0\n'),
    service("two", f'get-url = "{APP}/two?p=%p&a=%s&b=%s"\nmax-messages = 0\n'),
    service("get", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\n'),
    service("longer", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\nmax-messages = 3\nconcatenation = true\n'),
    service("parts", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\nmax-messages = 3\nsplit-chars = " "\nsplit-suffix = "+"\nheader = "H "\nfooter = " F"\n'),
    service("cut", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\nprefix = "<b>"\nsuffix = "</b>"\n'),
    service("omit", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\nomit-empty = true\n'),
    service("faked", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\nfaked-sender = 777\n'),
    service("kannel", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\naccept-x-kannel-headers = true\n'),
    service("plain", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\nassume-plain-text = true\n'),
    service("latin", f'get-url = "{APP}/get?p=%p&b=%b&C=%C"\ncatch-all = true\nalt-charset = ISO-8859-1\nmax-messages = 0\n'),
    service("dlr", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\ndlr-mask = 31\ndlr-url = "{APP}/dlr?to=%p&d=%d&P=%P&n=%n"\n'),
    service("dlrheaders", f'get-url = "{APP}/get?p=%p"\ncatch-all = true\naccept-x-kannel-headers = true\n'),
    service("post", f'post-url = "{APP}/post?p=%p"\ncatch-all = true\n'),
    service("postsender", f'post-url = "{APP}/post?p=%p"\ncatch-all = true\nsend-sender = true\n'),
    service("poststrip", f'post-url = "{APP}/post?p=%p"\ncatch-all = true\nstrip-keyword = true\n'),
    service("xml", f'post-xml = "{APP}/xml?p=%p"\ncatch-all = true\n'),
    service("xmlsender", f'post-xml = "{APP}/xml?p=%p"\ncatch-all = true\nsend-sender = true\nstrip-keyword = true\n'),
    service("text", 'text = "You said %a, %p"\ncatch-all = true\n'),
    service("textcodes", 'text = "k=%k s=%s S=%S r=%r a=%a P=%P q=%q i=%i n=%n c=%c C=%C %% %z"\ncatch-all = true\n'),
    service("exact", 'text = "exactly one word"\n'),
    service("file", 'file = "{directory}/file.txt"\ncatch-all = true\n'),
    service("nofile", 'file = "{directory}/nothing.txt"\ncatch-all = true\n'),
    service("exec", 'exec = "/bin/echo %s %p"\ncatch-all = true\n'),
    service("unreachable", 'get-url = "http://127.0.0.1:{down}/x?p=%p"\ncatch-all = true\n'),
    service("main", 'aliases = "other;third"\ntext = "alias"\n'),
    service("smsc", 'accepted-smsc = two\ntext = "by smsc"\n'),
    service("allowed", 'allowed-prefix = 99\ntext = "allowed"\n'),
    service("denied", 'denied-prefix = 44\ntext = "denied"\n'),
    service("receiver", 'allowed-receiver-prefix = 3\ntext = "receiver"\n'),
    service("notreceiver", 'denied-receiver-prefix = 2\ntext = "not receiver"\n'),
    service("black", 'black-list-regex = "^447"\ntext = "never"\n'),
    service("white", 'white-list-regex = "^447"\ntext = "white"\n'),
    "\ngroup = sms-service\nkeyword-regex = ^(joker|batman)[0-9]+\ncatch-all = true\ntext = \"regex %k %s\"\n",
    service("black-list", 'text = "You are black"\n'),
))  # fmt: skip

FILES = {"file.txt": "From a file: %k %p\n"}
"""Beside the kannel.conf."""

LISTS = {
    "/lists/core-black": "447711111111\n",
    "/lists/white": "447722222222\n{to:white list}\n",
    "/lists/black": "{to:black listed}\n{to:black list}\n",
    "/lists/empty": "",
}
"""What the application gives as white-list and black-list; the numbers are those of rows."""

OTHER = "".join((
    CORE.replace("status-password = look\n", ""),
    'unified-prefix = "+44,0044,0;+,00"\n',
    """
group = smsbox
bearerbox-host = 127.0.0.1
smsbox-id = box
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
sendsms-url = "/send"
sendsms-chars = "0123456789 +-*#"
global-sender = 98765
immediate-sendsms-reply = true
sms-length = 20
reply-couldnotfetch = "no fetch"
reply-couldnotrepresent = "no represent"
reply-requestfailed = "failed"
reply-emptymessage = "empty"
http-request-retry = 2
http-queue-delay = 1

group = smsbox-route
smsbox-id = box
smsc-id = "one"
""",
    smsc("one", 'source-addr-autodetect = yes\nunified-prefix = "+44,07"\nmy-number = 2000\n'),
    user("tester"),
    user("long", "max-messages = 3\n"),
    user("faked", "faked-sender = 12345\n"),
    user("sender", "default-sender = 54321\n"),
    user("joined", "max-messages = 10\nconcatenation = true\n"),
    service("default", f'get-url = "{APP}/get?p=%p&q=%q&P=%P&Q=%Q&b=%b&x=%x"\n'),
    service("unreachable", 'get-url = "http://127.0.0.1:{down}/x?p=%p"\n'),
    service("empty", 'text = ""\n'),
))  # fmt: skip

ADMIN = "".join((
    CORE,
    """
group = smsbox
bearerbox-host = 127.0.0.1
smsbox-id = box
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1

group = smsbox-route
smsbox-id = box
smsc-id = "one"
""",
    smsc("one", "smsc-admin-id = first\nallowed-smsc-id = one\n"),
    smsc("two", "allowed-smsc-id = two\ndead-start = true\n"),
    user("tester"),
    service("default", f'get-url = "{APP}/default?from=%p&text=%b"\nmax-messages = 0\n'),
))  # fmt: skip

"""A smsbox with an id hears of messages from mobiles only by a route."""

OPEN = ADMIN.replace("status-password = look\n", "store-type = file\nstore-location = {directory}/kannel.store\n")
OPEN += smsc("down", "allowed-smsc-id = down\n", port="{down}")

SCENES = {"main": MAIN, "other": OTHER, "admin": ADMIN, "open": OPEN}
ENDING = {"admin", "open", "example"}
"""Those whose rows follow each other; the last may end the gateway."""
