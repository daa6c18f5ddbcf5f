// External tools on openapi/openapi.json: two linters find nothing, not even a hint, and two generators write clients
// that compile under strict TypeScript together with code that uses them.
//
//   node check.mjs FOLDER        (an empty folder for generated files)

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const document = join(here, "../../openapi/openapi.json");
const folder = process.argv[2];
if (!folder) {
  console.error("usage: node check.mjs FOLDER");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const ruleset = join(folder, "spectral.yaml");
writeFileSync(ruleset, 'extends: ["spectral:oas"]\n');
copyFileSync(join(here, "consumer.ts"), join(folder, "consumer.ts"));
const compilerOptions = {
  strict: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  skipLibCheck: false,
  target: "es2022",
  module: "esnext",
  moduleResolution: "bundler",
  lib: ["es2022", "dom", "dom.iterable"],
  types: [],
};
writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*.ts"] }));

// No telemetry, and no check for newer versions.
const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", CI: "true" };

function run(name, ...args) {
  const program = join(here, "node_modules/.bin", name);
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: folder, env, encoding: "utf8" });
  const said = `${stdout ?? ""}${stderr ?? ""}`;
  if (error || status !== 0) {
    console.error(`${name} ${args.join(" ")}\n${error ?? ""}${said}`);
    process.exit(1);
  }
  return said;
}

// Redocly's exit code ignores warnings, so read its output.
const redocly = run("redocly", "lint", "--format", "json", document);
const { totals } = JSON.parse(redocly.slice(redocly.indexOf("{\n"), redocly.lastIndexOf("}") + 1));
if (totals.errors + totals.warnings !== 0) {
  console.error(`redocly lint\n${redocly}`);
  process.exit(1);
}
run("spectral", "lint", "--fail-severity", "hint", "--ruleset", ruleset, document);
run("openapi-typescript", document, "--output", join(folder, "types.ts"));
run("openapi-ts", "--input", document, "--output", join(folder, "client"), "--client", "@hey-api/client-fetch");
run("tsc", "--project", folder);
console.log("ok");
