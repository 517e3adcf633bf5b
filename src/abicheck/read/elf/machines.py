"""What the relocation types of each machine ask of the loader, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from abicheck.model.symbols import ReferenceKind

EM_X86_64 = 62
EM_AARCH64 = 183


class Machine(NamedTuple):
    """The relocation types that one machine's loader knows.

    `kinds` gives what a type asks for; a type that is neither there nor in `symbolless` is unknown to the loader.
    `plt_class` are the types whose lookup ignores the PLT entries of executables (`elf_machine_type_class`).
    `checks_relative` tells whether the loader asserts that what DT_RELACOUNT counts is RELATIVE.
    """

    relative: frozenset[int]
    kinds: Mapping[int, ReferenceKind]
    plt_class: frozenset[int]
    checks_relative: bool = False

    @property
    def symbolless(self) -> frozenset[int]:
        """The types that refer to nothing: NONE and RELATIVE."""
        return self.relative | {0}


# sysdeps/x86_64/dl-machine.h, elf_machine_rela and elf_machine_type_class
_X86_64 = Machine(
    relative=frozenset({8, 38}),  # RELATIVE, RELATIVE64
    kinds={
        1: "data",  # 64
        2: "data",  # PC32
        5: "copy",  # COPY
        6: "data",  # GLOB_DAT
        7: "plt",  # JUMP_SLOT
        10: "data",  # 32
        16: "tls-dynamic",  # DTPMOD64
        17: "tls-dynamic",  # DTPOFF64
        18: "tls-static",  # TPOFF64
        32: "size",  # SIZE32
        33: "size",  # SIZE64
        36: "tls-descriptor",  # TLSDESC
        37: "irelative",  # IRELATIVE
    },
    plt_class=frozenset({7, 16, 17, 18, 36}),
    checks_relative=True,
)

# sysdeps/aarch64/dl-machine.h, elf_machine_rela and elf_machine_type_class
_AARCH64 = Machine(
    relative=frozenset({1027}),  # RELATIVE
    kinds={
        257: "data",  # ABS64
        258: "data",  # ABS32
        1024: "copy",  # COPY
        1025: "data",  # GLOB_DAT
        1026: "plt",  # JUMP_SLOT
        1028: "tls-dynamic",  # TLS_DTPMOD
        1029: "tls-dynamic",  # TLS_DTPREL
        1030: "tls-static",  # TLS_TPREL
        1031: "tls-descriptor",  # TLSDESC
        1032: "irelative",  # IRELATIVE
    },
    plt_class=frozenset({1026, 1028, 1029, 1030, 1031}),
)

#: By e_machine; objects of other machines have no references here.
MACHINES: Mapping[int, Machine] = {EM_X86_64: _X86_64, EM_AARCH64: _AARCH64}
