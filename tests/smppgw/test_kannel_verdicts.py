"""Each line that is not honoured is told with its place and its reason."""

from smppgw.kannel import conf
from smppgw.kannel.verdicts import means_nothing, refused

WAPBOX = b"""group = core
admin-port = 1
wapbox-port = 2
dlr-storage = internal

group = wapbox
bearerbox-host = localhost

group = smsc
smsc = at
device = /dev/tty0
log-file = x

group = dlr-db
id = a
"""


def test_what_is_refused_is_told() -> None:
    assert [str(each).partition(";")[0] for each in refused(conf.parse(WAPBOX))] == [
        "kannel.conf:3: wapbox-port is refused",
        "kannel.conf:6: group wapbox is refused",
        "kannel.conf:10: smsc is refused",
        "kannel.conf:11: device is refused",
    ]


def test_what_means_nothing_is_told_a_whole_group_in_one() -> None:
    assert [str(each).partition(";")[0] for each in means_nothing(conf.parse(WAPBOX))] == [
        "kannel.conf:4: dlr-storage means nothing here",
        "kannel.conf:12: log-file means nothing here",
        "kannel.conf:14: group dlr-db means nothing here",
    ]


def test_what_is_honoured_is_not_told() -> None:
    found = conf.parse(b"group = sendsms-user\nusername = a\npassword = b\n")
    assert means_nothing(found) == refused(found) == ()
