"""Where ours may differ from Kannel: rows, and why. A row that is named here and does not differ fails.

Names are regular expressions that fit a row's whole name.
"""

DIFFERENCES: tuple[tuple[str, str], ...] = ()
