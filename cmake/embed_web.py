#!/usr/bin/env python3
"""Writes a C++ source that embeds the files of a folder: embed_web.py FOLDER OUT.cc

The assembler reads the files (.incbin), so that their size costs no compile time.
"""
import pathlib
import sys

folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")) if folder.is_dir() else []
lines = ['#include <array>', '#include "app/pages.h"', ""]
for number, path in enumerate(files):
    lines += [
        f'asm(".section .rodata\\n"',
        f'    "rushes_web_{number}:\\n.incbin \\"{path}\\"\\n"',
        f'    "rushes_web_{number}_end:\\n.byte 0\\n.previous\\n");',
        f"extern \"C\" const char rushes_web_{number}[];",
        f"extern \"C\" const char rushes_web_{number}_end[];",
    ]
lines += ["", "namespace rushes::app {", "", "std::span<const WebFile> web_files() {"]
if files:
    lines += [f"  static const std::array<WebFile, {len(files)}> kFiles{{{{"]
    for number, path in enumerate(files):
        begin, end = f"rushes_web_{number}", f"rushes_web_{number}_end"
        lines += [f'      {{"/{path.relative_to(folder).as_posix()}", {{{begin}, static_cast<std::size_t>({end} - {begin})}}}},']
    lines += ["  }};", "  return kFiles;"]
else:
    lines += ["  return {};"]
lines += ["}", "", "}  // namespace rushes::app", ""]
out.write_text("\n".join(lines))
