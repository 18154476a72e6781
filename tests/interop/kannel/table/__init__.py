"""The table: every row, by what it is about."""

from tests.interop.kannel.row import Row
from tests.interop.kannel.table.admin import ADMIN
from tests.interop.kannel.table.dlr import DLR
from tests.interop.kannel.table.mo import MO
from tests.interop.kannel.table.other import OTHER
from tests.interop.kannel.table.posts import POSTS
from tests.interop.kannel.table.sendsms import SENDSMS

ROWS: tuple[Row, ...] = (*SENDSMS, *POSTS, *DLR, *MO, *OTHER, *ADMIN)
