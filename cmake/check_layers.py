#!/usr/bin/env python3
"""Fails when an #include breaks the layers of cmake/layers.txt.

A library may include its own headers and those of strictly lower layers;
another library's `detail/` folder is closed. Usage: check_layers.py [ROOT]
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
layers = {}
for line in (root / "cmake/layers.txt").read_text().splitlines():
    if line and line[0].isdigit():
        layer, library = line.split()
        layers[library] = int(layer)

broken, files = [], 0
for path in sorted((root / "src").rglob("*")):
    if path.suffix not in {".h", ".cc"}:
        continue
    files += 1
    own = path.relative_to(root / "src").parts[0]
    if own not in layers:
        broken.append(f"{path}: folder '{own}' is not in cmake/layers.txt")
        continue
    for number, text in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#include "([a-z_]+)/(.*)"', text)
        if not found or found[1] not in layers or found[1] == own:
            continue
        where = f"{path.relative_to(root)}:{number}"
        if layers[found[1]] >= layers[own]:
            broken.append(f"{where}: '{own}' (layer {layers[own]}) includes '{found[1]}' (layer {layers[found[1]]})")
        if "detail/" in found[2]:
            broken.append(f"{where}: '{found[1]}/{found[2]}' is private to its library")

print("\n".join(broken) if broken else f"layers: {files} files hold the order of cmake/layers.txt")
sys.exit(1 if broken or files == 0 else 0)
