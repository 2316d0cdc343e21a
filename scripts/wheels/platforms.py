"""What is built for which platform, and with which C++ library DuckDB is linked."""

from __future__ import annotations

from typing import NamedTuple


class Package(NamedTuple):
    """A static library of one of Debian's packages, accepted with this SHA-256 alone."""

    suite: str
    name: str  # with :architecture
    file: str  # in the package
    sha256: str


class Platform(NamedTuple):
    goos: str
    goarch: str
    duckdb: str  # DuckDB's name of the platform
    wheel: str  # the wheel's tag
    extension: str  # zig's target of the extension
    program: str  # of the program
    cxx: tuple[Package, ...]  # in place of zig's C++ library
    flags: str = ""  # of the extension's linker

    @property
    def name(self) -> str:
        return f"{self.goos}-{self.goarch}"

    @property
    def program_name(self) -> str:
        return "saedb.exe" if self.goos == "windows" else "saedb"


MINGW = "usr/lib/gcc/x86_64-w64-mingw32ucrt/14/"
PLATFORMS = (
    Platform(
        "linux", "amd64", "linux_amd64", "manylinux_2_28_x86_64", "x86_64-linux-gnu.2.17", "x86_64-linux-gnu.2.28",
        (Package("bookworm", "libstdc++-12-dev:amd64", "usr/lib/gcc/x86_64-linux-gnu/12/libstdc++.a", "ab6996b7817f0d838ba9247d3aa4dfb8002222dbc43412238607b58987fa59fd"),),
        "-Wl,-Bsymbolic",
    ),
    Platform(
        "linux", "arm64", "linux_arm64", "manylinux_2_28_aarch64", "aarch64-linux-gnu.2.17", "aarch64-linux-gnu.2.28",
        (Package("bookworm", "libstdc++-12-dev:arm64", "usr/lib/gcc/aarch64-linux-gnu/12/libstdc++.a", "49312d77714847314a861f8c76d24c254f8cacfa5bc5a7ded0eaeae9cb049a42"),),
        "-Wl,-Bsymbolic",
    ),
    Platform(
        "windows", "amd64", "windows_amd64", "win_amd64", "x86_64-windows-gnu", "x86_64-windows-gnu",
        (
            Package("trixie", "g++-mingw-w64-ucrt64", MINGW + "libstdc++.a", "1f6e119e4ecc6df0d77f9a3a4698de1358374353b997ecff54203fcf0c5fc4a4"),
            Package("trixie", "gcc-mingw-w64-ucrt64", MINGW + "libgcc_eh.a", "1a12aca76f9409fae8f975852e3fb180735f4d472f291e5e3b3c7819d56a991c"),
            Package("trixie", "gcc-mingw-w64-ucrt64", MINGW + "libgcc.a", "7f0a58bd41ecc1baaedca6993795f7cd1fa3388bec1b41b63d88c488c926dfbc"),
        ),
    ),
    Platform("darwin", "arm64", "osx_arm64", "macosx_12_0_arm64", "aarch64-macos.12.0", "aarch64-macos.12.0", ()),
    Platform("darwin", "amd64", "osx_amd64", "macosx_12_0_x86_64", "x86_64-macos.12.0", "x86_64-macos.12.0", ()),
)  # fmt: skip
