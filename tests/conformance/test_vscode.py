"""The VS Code extension: what it names is there, its archive is one, and its client starts `unroll lsp`."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from unroll_dsl.cli.main import COMMANDS
from unroll_dsl.version import VERSION

HERE = Path(__file__).resolve().parents[2] / "editors" / "vscode"
PACKAGE = json.loads((HERE / "package.json").read_text("utf-8"))
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("vscode_build", HERE / "build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_version_is_that_of_the_package() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text("utf-8"))
    assert PACKAGE["version"] == lock["version"] == re.sub(r"[^\d.].*", "", VERSION)
    assert lock["packages"][""]["dependencies"] == PACKAGE["dependencies"]


def test_the_archive(builder: ModuleType, tmp_path: Path) -> None:
    path = builder.build(tmp_path, with_client=False)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[0] == "[Content_Types].xml" and len(names) == len(set(names))
        types = ElementTree.fromstring(archive.read("[Content_Types].xml"))
        manifest = ElementTree.fromstring(archive.read("extension.vsixmanifest"))
        package = json.loads(archive.read("extension/package.json"))
    space = {"m": "http://schemas.microsoft.com/developer/vsx-schema/2011"}
    identity = manifest.find("m:Metadata/m:Identity", space)
    assert identity is not None
    assert identity.get("Id") == "unroll" and identity.get("Version") == PACKAGE["version"]
    for asset in manifest.findall("m:Assets/m:Asset", space):
        assert asset.get("Path") in names
    endings = {child.get("Extension") for child in types}
    assert {Path(name).suffix for name in names[1:]} <= endings
    for word in _paths(package):
        assert f"extension/{word.removeprefix('./')}" in names
    again = builder.build(tmp_path / "again", with_client=False)
    assert again.read_bytes() == path.read_bytes()


def _paths(value: Any) -> list[str]:
    """The files that a package names."""
    if isinstance(value, str):
        return [value] if value.startswith("./") else []
    children = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return [path for child in children for path in _paths(child)]


def test_libraries_are_packed(builder: ModuleType, tmp_path: Path) -> None:
    inner = tmp_path / "node_modules" / "client"
    (inner / "node_modules" / ".bin").mkdir(parents=True)
    (inner / "index.js").write_text("module.exports = 1\n")
    (inner / "LICENSE").write_text("free\n")
    (inner / "node_modules" / ".bin" / "tool").write_text("no\n")
    names = [name for name, _ in builder.entries(tmp_path / "node_modules")]
    assert "extension/node_modules/client/index.js" in names
    assert not any(".bin" in name for name in names)
    types = ElementTree.fromstring(builder.content_types(names))
    assert any(child.get("PartName", "").endswith("client/LICENSE") for child in types)


def test_what_opens_a_block_is_indented() -> None:
    rules = json.loads((HERE / "language-configuration.json").read_text("utf-8"))
    opens = re.compile(rules["indentationRules"]["increaseIndentPattern"])
    assert opens.match("phase (3):  # so many") and opens.match("loss (x : vector[n]):")
    assert not opens.match("input y : vector[m]") and not opens.match("loss (t : scalar): t")


_RUN = """
const calls = [];
const stubs = {
  vscode: {
    commands: { registerCommand: (name, run) => ({ name, run }) },
    window: { showWarningMessage: (words) => calls.push(["warned", words]) },
    workspace: {
      getConfiguration: () => ({ get: (key) => (key === "enable" ? ENABLED : ["unroll", "lsp"]) }),
      onDidChangeConfiguration: () => ({}),
    },
  },
  "vscode-languageclient/node": {
    TransportKind: { stdio: 0 },
    LanguageClient: class {
      constructor(id, name, server, options) { calls.push(["made", server, options]); }
      async start() { if (FAILS) throw new Error("no such file"); calls.push(["started"]); }
      async stop() { calls.push(["stopped"]); }
    },
  },
};
const { Module } = require("module");
const load = Module._load;
Module._load = (name, ...rest) => {
  if (name === "vscode-languageclient/node" && ABSENT) {
    throw Object.assign(new Error("absent"), { code: "MODULE_NOT_FOUND" });
  }
  return stubs[name] ?? load(name, ...rest);
};
const extension = require(PATH);
const context = { subscriptions: [] };
extension.activate(context).then(async () => {
  if (context.subscriptions[0].name !== "unroll.restartServer") throw new Error("no command");
  await extension.deactivate();
  console.log(JSON.stringify(calls));
});
"""


def _calls(*, enabled: bool = True, fails: bool = False, absent: bool = False) -> list[list[Any]]:
    """What the extension does when it is started, with an editor that is made up."""
    words = {
        "ENABLED": enabled,
        "FAILS": fails,
        "ABSENT": absent,
        "PATH": str(HERE / "extension.js"),
    }
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in words.items())
    assert NODE is not None
    done = subprocess.run([NODE, "-e", head + _RUN], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_the_client_starts_the_server() -> None:
    made, started, stopped = _calls()
    assert made[1] == {"command": "unroll", "args": ["lsp"], "transport": 0}
    assert made[2] == {"documentSelector": [{"language": "unroll"}]}
    assert started == ["started"] and stopped == ["stopped"]
    assert _calls(enabled=False) == [] and _calls(absent=True) == []
    (_, warned) = _calls(fails=True)
    assert "`unroll lsp` does not start" in warned[1] and "unroll_dsl[lsp]" in warned[1]


def test_the_command_is_one() -> None:
    word = PACKAGE["contributes"]["configuration"]["properties"]["unroll.server.command"]
    assert word["default"] == ["unroll", "lsp"] and word["scope"] == "machine"
    assert "lsp" in {command.name for command in COMMANDS}
