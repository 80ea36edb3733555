"""Builds the extension as a .vsix: `python editors/vscode/build.py --out build`, or `make vscode`.

A .vsix is a zip archive with the files of the extension, a manifest and a list of content types. The one library of
the extension is fetched by npm, by the versions of package-lock.json and without running any script; where there is
no npm the extension is built without it, and then colours pages, and nothing more.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

HERE = Path(__file__).resolve().parent
LICENSE = HERE.parents[1] / "LICENSE"
FILES = (
    "package.json",
    "README.md",
    "extension.js",
    "language-configuration.json",
    "syntaxes/unroll.tmLanguage.json",
)
_DATE = (1980, 1, 1, 0, 0, 0)  # the same files make the same archive
_TYPES = {
    ".json": "application/json",
    ".js": "application/javascript",
    ".mjs": "application/javascript",
    ".cjs": "application/javascript",
    ".ts": "text/plain",
    ".mts": "text/plain",
    ".cts": "text/plain",
    ".map": "application/json",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".yml": "text/plain",
    ".vsixmanifest": "text/xml",
}
_MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id={id} Version={version} Publisher={publisher}/>
    <DisplayName>{name}</DisplayName>
    <Description xml:space="preserve">{description}</Description>
    <Tags>{tags}</Tags>
    <Categories>{categories}</Categories>
    <License>extension/LICENSE.txt</License>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value={engine}/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace"/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true"/>
  </Assets>
</PackageManifest>
"""


def manifest(package: dict[str, Any]) -> str:
    """The manifest of a .vsix, from what package.json says."""
    return _MANIFEST.format(
        id=quoteattr(package["name"]),
        version=quoteattr(package["version"]),
        publisher=quoteattr(package["publisher"]),
        name=escape(package["displayName"]),
        description=escape(package["description"]),
        tags=escape(",".join(package["keywords"])),
        categories=escape(",".join(package["categories"])),
        engine=quoteattr(package["engines"]["vscode"]),
    )


def content_types(names: Sequence[str]) -> str:
    """The list of content types: one for each ending, and for each file without one."""
    endings = sorted({Path(name).suffix.lower() for name in names if Path(name).suffix})
    known = "".join(
        f'<Default Extension="{ending}" ContentType="{_TYPES.get(ending, "application/octet-stream")}"/>'
        for ending in endings
    )
    bare = "".join(
        f"<Override PartName={quoteattr('/' + name)} ContentType='text/plain'/>"
        for name in names
        if not Path(name).suffix
    )
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    space = "http://schemas.openxmlformats.org/package/2006/content-types"
    return f'{head}<Types xmlns="{space}">{known}{bare}</Types>\n'


def fetched(folder: Path) -> Path | None:
    """The libraries of the extension in a folder; None, told, where npm is absent or cannot fetch them."""
    npm = shutil.which("npm")
    if npm is None:
        print("no npm: built without the client of the server, for colours alone", file=sys.stderr)
        return None
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise SystemExit("npm cannot fetch the client; `--without-client` builds for colours alone")
    return folder / "node_modules"


def entries(libraries: Path | None) -> Iterator[tuple[str, bytes]]:
    """The files of the extension by their names in the archive."""
    for name in FILES:
        yield f"extension/{name}", (HERE / name).read_bytes()
    yield "extension/LICENSE.txt", LICENSE.read_bytes()
    for path in sorted(libraries.rglob("*")) if libraries is not None else ():
        inner = path.relative_to(libraries.parent).as_posix() if libraries is not None else ""
        if path.is_file() and not path.is_symlink() and "/.bin/" not in inner:
            yield f"extension/{inner}", path.read_bytes()


def build(out: Path, *, with_client: bool) -> Path:
    """Write the .vsix into a folder; returns its path."""
    package = json.loads((HERE / "package.json").read_text("utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{package['name']}-{package['version']}.vsix"
    with tempfile.TemporaryDirectory() as folder:
        files = dict(entries(fetched(Path(folder)) if with_client else None))
    files["extension.vsixmanifest"] = manifest(package).encode()
    listed = {"[Content_Types].xml": content_types(list(files)).encode(), **files}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in listed.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return target


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("build"), help="a folder (build)")
    parser.add_argument("--without-client", action="store_true", help="colours alone, without npm")
    options = parser.parse_args(arguments)
    print(build(options.out, with_client=not options.without_client))


if __name__ == "__main__":
    main()
