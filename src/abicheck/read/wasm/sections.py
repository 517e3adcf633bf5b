"""The sections of a module: what it imports, exports and defines.

https://webassembly.github.io/spec/core/binary/modules.html
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from abicheck.model.wasm import Extern, ExternKind, Limits, Module, Use
from abicheck.read.wasm.code import UnknownInstructionError, read_body, read_constant
from abicheck.read.wasm.cursor import Cursor, MalformedError
from abicheck.read.wasm.types import Signature, element_type, limits, type_entries, value_type
from abicheck.read.wasm.uses import Uses

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS: tuple[ExternKind, ...] = ("function", "table", "memory", "global", "tag")


class Sections:
    """Reads the sections one after another; what later ones refer to is kept."""

    def __init__(self) -> None:
        self._uses = Uses()
        self._types: list[Signature] = []
        self._functions: list[int] = []  # the types of all functions, imported ones first
        self._globals: list[bool] = []  # whether each can be changed
        self._imports: list[Extern] = []
        self._imported_functions = 0
        self._exports: list[Extern] = []
        self._memories: list[Limits] = []
        self._tables: list[Limits] = []
        self._bodies = 0
        self._unknown: str | None = None
        self._custom = Custom()
        self._readers: dict[int, Callable[[Cursor], object]] = {
            1: lambda cursor: self._types.extend(type_entries(cursor, self._uses)),
            2: self._import,
            3: lambda cursor: self._functions.append(cursor.number()),
            4: self._table,
            5: self._memory,
            6: self._global,
            7: self._export,
            9: self._element,
            11: self._data,
            13: self._tag,
        }

    @property
    def uses(self) -> tuple[Use, ...]:
        """The features used so far, as an engine meets them: it decodes all sections, then compiles the functions."""
        return tuple(sorted(self._uses.found.values(), key=lambda use: (use.function is not None, use.offset)))

    @property
    def lacking_bodies(self) -> int:
        """How many functions were announced that have no code."""
        return len(self._functions) - self._imported_functions - self._bodies

    def module(self, size: int) -> Module:
        """What was read of a module of `size` bytes."""
        return Module(
            size=size,
            imports=tuple(self._imports),
            exports=tuple(self._exports),
            memories=tuple(self._memories),
            tables=tuple(self._tables),
            uses=self.uses,
            unknown=self._unknown,
            producers=self._custom.producers,
            target_features=self._custom.target_features,
            name=self._custom.name,
        )

    def read(self, number: int, cursor: Cursor) -> None:
        """The section of that number. Raises `MalformedError`."""
        if number == 0:
            self._custom.read(cursor)
            return
        if number == 8:  # the function that starts
            cursor.number()
        elif number == 10:
            self._code(cursor)
        elif number == 12:
            self._uses.note("bulk-memory", cursor.position, "section")
            cursor.number()
        elif number in self._readers:
            for _ in range(cursor.count()):
                self._readers[number](cursor)
        else:
            raise MalformedError(f"no section has the number {number}", cursor.position)
        if cursor.position != cursor.end:
            raise MalformedError("a section holds more than it says", cursor.position)

    def _import(self, cursor: Cursor) -> None:
        module, name = cursor.name(), cursor.name()
        at, kind = cursor.position, self._kind(cursor)
        extern = Extern(kind, name, module)
        if kind == "function":
            self._functions.append(cursor.number())
            self._imported_functions += 1
            self._pass_integers(self._functions[-1], at)
            extern = extern._replace(types=self._signature(self._functions[-1]).results)
        elif kind == "global":
            extern = extern._replace(types=(value_type(cursor, self._uses),))
            self._globals.append(self._mutable(cursor, at, shared=True))
            extern = extern._replace(mutable=self._globals[-1])
        elif kind == "table":
            extern = extern._replace(types=(self._table(cursor),), limits=self._tables[-1])
        elif kind == "memory":
            self._memory(cursor)
            extern = extern._replace(limits=self._memories[-1])
        else:
            extern = extern._replace(types=self._tag(cursor).parameters)
        self._imports.append(extern)

    def _export(self, cursor: Cursor) -> None:
        name = cursor.name()
        at, kind = cursor.position, self._kind(cursor)
        index = cursor.number()
        if kind == "function" and index < len(self._functions):
            self._pass_integers(self._functions[index], at)
        elif kind == "global" and index < len(self._globals) and self._globals[index]:
            self._uses.note("mutable-globals", at, "global")
        self._exports.append(Extern(kind, name))

    @staticmethod
    def _kind(cursor: Cursor) -> ExternKind:
        at, code = cursor.position, cursor.byte()
        if code >= len(_KINDS):
            raise MalformedError(f"no kind of import or export: 0x{code:02x}", at)
        return _KINDS[code]

    def _pass_integers(self, index: int, at: int) -> None:
        """64-bit integers that JavaScript sees are BigInt."""
        signature = self._signature(index)
        if "i64" in (*signature.parameters, *signature.results):
            self._uses.note("bigint", at, "signature")

    def _signature(self, index: int) -> Signature:
        """The type of that index; one without anything where there is none, which is the validator's business."""
        return self._types[index] if index < len(self._types) else Signature()

    def _table(self, cursor: Cursor) -> str:
        """A table; the type of its elements."""
        at = cursor.position
        initialized = cursor.peek() == 0x40
        if initialized:
            self._uses.note("typed-function-references", at, "type")
            cursor.skip(2)
        element = element_type(cursor, self._uses)
        self._tables.append(limits(cursor, self._uses))
        if initialized:
            read_constant(cursor, self._uses)
        if len(self._tables) > 1:
            self._uses.note("reference-types", at, "section")
        return element

    def _memory(self, cursor: Cursor) -> None:
        at = cursor.position
        self._memories.append(limits(cursor, self._uses))
        if len(self._memories) > 1:
            self._uses.note("multi-memory", at, "section")

    def _global(self, cursor: Cursor) -> None:
        value_type(cursor, self._uses)
        self._globals.append(self._mutable(cursor, cursor.position, shared=False))
        read_constant(cursor, self._uses)

    def _mutable(self, cursor: Cursor, at: int, *, shared: bool) -> bool:
        mutable = bool(cursor.byte())
        if mutable and shared:
            self._uses.note("mutable-globals", at, "global")
        return mutable

    def _tag(self, cursor: Cursor) -> Signature:
        self._uses.note("exceptions-legacy", cursor.position, "section")
        cursor.skip(1)
        return self._signature(cursor.number())

    def _element(self, cursor: Cursor) -> None:
        """Flags: 1 passive or declared, 2 with a table's index (or declared), 4 with expressions instead of functions."""
        at, flags = cursor.position, cursor.number()
        if flags > 7:
            raise MalformedError(f"no flags of elements: 0x{flags:02x}", at)
        if flags:
            self._uses.note("bulk-memory" if flags < 4 else "reference-types", at, "section")
        if not flags & 1:
            if flags & 2:
                cursor.number()
            read_constant(cursor, self._uses)
        if flags & 3:
            if flags & 4:
                element_type(cursor, self._uses)
            else:
                cursor.skip(1)
        for _ in range(cursor.count()):
            if flags & 4:
                read_constant(cursor, self._uses)
            else:
                cursor.number()

    def _data(self, cursor: Cursor) -> None:
        at, flags = cursor.position, cursor.number()
        if flags > 2:
            raise MalformedError(f"no flags of data: 0x{flags:02x}", at)
        if flags:
            self._uses.note("bulk-memory", at, "section")
        if flags == 2 and cursor.number():
            self._uses.note("multi-memory", at, "section")
        if flags != 1:
            read_constant(cursor, self._uses)
        cursor.skip(cursor.count())

    def _code(self, cursor: Cursor) -> None:
        self._bodies = cursor.count()
        if self.lacking_bodies:
            raise MalformedError(
                f"code for {self._bodies} functions instead of {self._bodies + self.lacking_bodies}", cursor.position
            )
        for number in range(self._bodies):
            self._uses.function = self._imported_functions + number
            body = cursor.part(cursor.number())
            try:
                read_body(body, self._uses)
            except UnknownInstructionError as error:
                self._unknown = self._unknown or f"{error.message} at byte {error.offset}"
        self._uses.function = None


class Custom:
    """What custom sections say; engines pass over those that make no sense."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.producers: tuple[tuple[str, tuple[str, ...]], ...] = ()
        self.target_features: tuple[str, ...] = ()

    def read(self, cursor: Cursor) -> None:
        """One custom section. Raises `MalformedError` for one without a name."""
        name = cursor.name()
        with suppress(MalformedError):
            if name == "name" and cursor.byte() == 0:
                cursor.number()
                self.name = cursor.name()
            elif name == "producers":
                self.producers = tuple(self._producer(cursor) for _ in range(cursor.count()))
            elif name == "target_features":
                self.target_features = tuple(chr(cursor.byte()) + cursor.name() for _ in range(cursor.count()))

    @staticmethod
    def _producer(cursor: Cursor) -> tuple[str, tuple[str, ...]]:
        field = cursor.name()
        values = ((cursor.name(), cursor.name()) for _ in range(cursor.count()))
        return field, tuple(" ".join(filter(None, each)) for each in values)
