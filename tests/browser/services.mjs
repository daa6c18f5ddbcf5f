// Starts programs for tests: `topup dev` with its sandbox, and `topup serve` beside it with settings of the test.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TIMEOUT_MS } from "./timeout.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The debug binary, which `cargo test` builds. */
export const TOPUP = process.env.TOPUP ?? join(root, "target/debug/topup");
/** Settings come from files; no others of this machine are read. */
const BARE = { PATH: process.env.PATH };

/** A folder that goes when the process ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "topup-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a program and waits until it has written a text. Returns all that it wrote until then. */
export async function startProgram(command, args, { ready, on = "stdout", ...options }) {
  assert.ok(command !== TOPUP || existsSync(TOPUP), `${TOPUP} is missing: cargo build --workspace --bin topup`);
  const program = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  process.on("exit", () => program.kill("SIGKILL"));
  const said = { stdout: "", stderr: "" };
  await new Promise((done, failed) => {
    const tell = (why) => failed(new Error(`${command} ${args.join(" ")} ${why}\n${said.stdout}${said.stderr}`));
    const timer = setTimeout(() => tell("is not ready in time"), TIMEOUT_MS);
    for (const stream of ["stdout", "stderr"]) {
      program[stream].setEncoding("utf8").on("data", (text) => {
        said[stream] += text;
        if (said[on].includes(ready)) done(clearTimeout(timer));
      });
    }
    program.once("exit", (code) => tell(`ended with ${code}`));
    program.once("error", failed);
  });
  program.removeAllListeners("exit");
  const stop = () => new Promise((done) => {
    program.once("exit", done);
    program.kill("SIGTERM");
  });
  return { text: said[on], stop };
}

/** `topup dev` on free ports: its address, the sandbox's, and the settings of a service beside it. */
export async function startDev(...more) {
  const folder = temporaryFolder();
  const args = ["dev", "--port", "0", "--sandbox-port", "0", "--serve-port", "0", "--data-dir", folder, ...more];
  const { text, stop } = await startProgram(TOPUP, args, { ready: "Stop with Ctrl-C", env: BARE });
  const address = (label) => text.match(new RegExp(`^ +${label} +(http\\S+?)/?$`, "m"))[1];
  const settings = Object.fromEntries(text.match(/^[A-Z_]+=\S+$/gm).map((line) => line.split(/=(.*)/s)));
  const secrets = JSON.parse(readFileSync(join(folder, "secrets.json"), "utf8"));
  return { url: address("Demo"), sandbox: address("Sandbox"), folder, settings, secrets, stop };
}

/** `topup serve` beside it, with other settings. `cli` runs a command with the same settings. */
export async function startBeside(dev, changes) {
  const folder = temporaryFolder();
  const settings = { ...dev.settings, ...changes };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(folder, ".env"), lines.join(""), { mode: 0o600 });
  const cli = (...args) => execFileSync(TOPUP, args, { cwd: folder, env: BARE }).toString().trim();
  cli("migrate");
  const { stop } = await startProgram(TOPUP, ["serve"], { ready: '"serving"', on: "stderr", cwd: folder, env: BARE });
  return { url: `http://${settings.BIND_ADDRESS}`, cli, stop };
}
