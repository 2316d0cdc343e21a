"""What bench/extension measures inside Python, through the wheel.

usage: work.py DATABASE compute | work.py DATABASE SQL
"""

import sys

import saedb

database, work = sys.argv[1:]
if work == "compute":
    with saedb.connect(database) as con:
        saedb.compute(con)
else:
    with saedb.connect(database, read_only=True) as con:
        for row in con.execute(work).fetchall():
            print(*row, sep=",")
