"""``python -m saedb`` is the program ``saedb``."""

from saedb_program import main

main()
