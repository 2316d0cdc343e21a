"""The C compiler that Go builds for another system with: zig's, as CC="python cc.py TARGET".

DuckDB's libraries are C++ of GCC for Linux and Windows, and zig brings another C++ library:
what the environment's SAEDB_CXX names, separated as in PATH, is linked in place of -lstdc++.
"""

import os
import sys
from pathlib import Path

import ziglang

target, *arguments = sys.argv[1:]
cxx = [part for part in os.environ.get("SAEDB_CXX", "").split(os.pathsep) if part]
given = []
for argument in arguments:
    if argument == "-lstdc++" and cxx:
        given += cxx
    elif argument == "-lc++":
        given.append("-lc++.1")  # the system's, by its stub: zig's own goes by the name without a number
    elif argument != "-rdynamic":  # asked for by DuckDB's bindings: 8 MB of names that nothing looks up
        given.append(argument)
if not {"-c", "-E", "-S"} & set(arguments):
    if "-macos" in target:
        stubs = str(Path(__file__).with_name("macos"))
        given += ["-Wl,-dead_strip", f"-L{stubs}", f"-F{stubs}"]
    else:
        given += ["-Wl,--gc-sections", "-s"]
zig = str(Path(ziglang.__file__).with_name("zig"))
os.execv(zig, [zig, "cc", "-target", target, *given])
