#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Turns a binary schema (flatc --schema --binary) into the tables that runtime/artifact/Structure.cpp walks by.

    layout.py program.bfbs program_layout.inc

A binary schema is itself a flatbuffer (reflection.fbs of flatbuffers); the few fields needed are read by number."""
import struct
import sys

# Numbers of fields in reflection.fbs, and of its base types.
SCHEMA_OBJECTS, SCHEMA_ENUMS, SCHEMA_ROOT = 0, 1, 4
OBJECT_NAME, OBJECT_FIELDS, OBJECT_IS_STRUCT, OBJECT_ALIGN, OBJECT_SIZE = 0, 1, 2, 3, 4
FIELD_NAME, FIELD_TYPE, FIELD_ID, FIELD_REQUIRED = 0, 1, 2, 7
TYPE_BASE, TYPE_ELEMENT, TYPE_INDEX = 0, 1, 2
ENUM_VALUES, VALUE_VALUE, VALUE_TYPE = 1, 1, 3
UTYPE, STRING, VECTOR, OBJECT, UNION = 1, 13, 14, 15, 16
SIZES = {1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 2, 7: 4, 8: 4, 9: 8, 10: 8, 11: 4, 12: 8}


class Table:
    def __init__(self, data, at):
        self.data, self.at = data, at
        self.vtable = at - struct.unpack_from("<i", data, at)[0]

    def place(self, field):
        length = struct.unpack_from("<H", self.data, self.vtable)[0]
        slot = 4 + 2 * field
        offset = struct.unpack_from("<H", self.data, self.vtable + slot)[0] if slot < length else 0
        return self.at + offset if offset else None

    def number(self, field, form, default=0):
        at = self.place(field)
        return default if at is None else struct.unpack_from("<" + form, self.data, at)[0]

    def follow(self, at):
        return at + struct.unpack_from("<I", self.data, at)[0]

    def table(self, field):
        return Table(self.data, self.follow(self.place(field)))

    def tables(self, field):
        at = self.follow(self.place(field))
        count = struct.unpack_from("<I", self.data, at)[0]
        return [Table(self.data, self.follow(at + 4 + 4 * i)) for i in range(count)]

    def string(self, field):
        at = self.follow(self.place(field))
        return self.data[at + 4:at + 4 + struct.unpack_from("<I", self.data, at)[0]].decode()


def main(source, destination):
    data = open(source, "rb").read()
    schema = Table(data, struct.unpack_from("<I", data)[0])
    objects, enums = schema.tables(SCHEMA_OBJECTS), schema.tables(SCHEMA_ENUMS)
    names = [o.string(OBJECT_NAME) for o in objects]

    def members(index):
        """The tables of a union, in the order of their numbers from 1."""
        values = sorted(enums[index].tables(ENUM_VALUES), key=lambda v: v.number(VALUE_VALUE, "q"))
        return [v.table(VALUE_TYPE).number(TYPE_INDEX, "i", -1) for v in values if v.number(VALUE_VALUE, "q")]

    def is_struct(index):
        return objects[index].number(OBJECT_IS_STRUCT, "B")

    def struct_size(index):
        size, align = objects[index].number(OBJECT_SIZE, "i"), objects[index].number(OBJECT_ALIGN, "i")
        assert align == 8, f"{names[index]}: structs are aligned to 8 bytes"
        return size

    # Members of a union follow each other, so that its first one says them all. The root comes first.
    order = [names.index(schema.table(SCHEMA_ROOT).string(OBJECT_NAME))]
    for index in range(len(enums)):
        if enums[index].number(2, "B"):
            assert not set(order) & set(members(index)), "a table is in one union at most"
            order += members(index)
    order += [i for i in range(len(objects)) if i not in order and not is_struct(i)]

    def form(field):
        type_ = field.table(FIELD_TYPE)
        base, element, index = (type_.number(TYPE_BASE, "b"), type_.number(TYPE_ELEMENT, "b"), type_.number(TYPE_INDEX, "i", -1))
        if base == UTYPE:
            return "unionType", len(members(index))
        if base == UNION:
            return "oneOf", order.index(members(index)[0])
        if base == STRING:
            return "string", 0
        if base == OBJECT:
            return ("inPlace", struct_size(index)) if is_struct(index) else ("table", order.index(index))
        if base != VECTOR:
            return "inPlace", SIZES[base]
        if element == STRING:
            return "strings", 0
        if element == OBJECT and not is_struct(index):
            return "tables", order.index(index)
        return "vector", struct_size(index) if element == OBJECT else SIZES[element]

    lines, begins = [], [0]
    for index in order:
        fields = sorted(objects[index].tables(OBJECT_FIELDS), key=lambda f: f.number(FIELD_ID, "H"))
        assert [f.number(FIELD_ID, "H") for f in fields] == list(range(len(fields)))
        lines.append(f"    // {names[index].split('.')[-1]}")
        for field in fields:
            kind, value = form(field)
            required = "true" if field.number(FIELD_REQUIRED, "B") else "false"
            lines.append(f"    {{Form::{kind}, {required}, {value}}}, // {field.string(FIELD_NAME)}")
        begins.append(begins[-1] + len(fields))
    with open(destination, "w") as out:
        out.write("// Made by runtime/schema/layout.py.\nstatic constexpr Field fields[] = {\n" + "\n".join(lines) + "\n};\n")
        out.write(f"static constexpr uint16_t begins[] = {{{', '.join(map(str, begins))}}};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
