// Starts the language server for pages of unroll_dsl, and tells why where it does not start.
"use strict";

const { commands, window, workspace } = require("vscode");

let client;

/** The library that speaks with a server; undefined in a package that was built without it. */
function library() {
  try {
    return require("vscode-languageclient/node");
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

async function start() {
  const settings = workspace.getConfiguration("unroll.server");
  const found = library();
  if (!settings.get("enable") || found === undefined) return;
  const [command, ...args] = settings.get("command");
  const server = { command, args, transport: found.TransportKind.stdio };
  const options = { documentSelector: [{ language: "unroll" }] };
  client = new found.LanguageClient("unroll", "unroll", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const mend = "`pip install 'unroll_dsl[lsp]'` installs it; unroll.server.command says where it is";
    window.showWarningMessage(`\`${[command, ...args].join(" ")}\` does not start: ${mend} (${error})`);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running !== undefined) await running.stop();
}

async function activate(context) {
  const restart = async () => {
    await stop();
    await start();
  };
  const changed = workspace.onDidChangeConfiguration(async (event) => {
    if (event.affectsConfiguration("unroll.server")) await restart();
  });
  context.subscriptions.push(commands.registerCommand("unroll.restartServer", restart), changed);
  await start();
}

module.exports = { activate, deactivate: stop };
