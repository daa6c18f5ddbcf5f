// The package as npm would publish it: installed into empty projects, type-checked, run, bundled and measured.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { elementsFile, FILES } from "../scripts/build.mjs";
import { generated } from "../scripts/generate.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const repository = join(root, "../..");
/** The most that each file with elements may weigh, with everything that they need, as browsers get it. */
const MAX_ELEMENTS_BYTES = { elements: 12_000, "auto-topup": 12_288, "manage-plan": 12_000 };

let project;
let packed;

before(() => {
  project = mkdtempSync(join(tmpdir(), "topup-client-"));
  const options = ["--json", "--ignore-scripts", "--pack-destination", project];
  const said = execFileSync("npm", ["pack", ...options], { cwd: root });
  [packed] = JSON.parse(said);
  const installed = join(project, "node_modules/@topup/client");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["xzf", join(project, packed.filename), "-C", installed, "--strip-components=1"]);
  mkdirSync(join(project, "node_modules/@types"));
  // What `npm install` would bring: the dependency and its own, and the optional peer with its types.
  const dependencies = Object.keys(JSON.parse(readFileSync(join(installed, "package.json"), "utf8")).dependencies);
  assert.deepEqual(dependencies, ["openapi-fetch"], "no other runtime dependency");
  for (const name of ["openapi-fetch", "openapi-typescript-helpers", "react", "@types/react", "csstype"]) {
    symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));
  }
});

after(() => rmSync(project, { recursive: true, force: true }));

test("the types are those of the API's description", async () => {
  const checkedIn = readFileSync(join(root, "src/schema.ts"), "utf8");
  assert.ok(checkedIn === await generated(), "run `npm run generate` in clients/typescript");
});

for (const name of Object.keys(FILES)) {
  test(`what the service serves as /${name}.js is what is built now`, async () => {
    const served = readFileSync(join(repository, `src/http/elements/${name}.js`), "utf8");
    const way = `node clients/typescript/scripts/build.mjs --${name} > src/http/elements/${name}.js`;
    assert.ok(served === await elementsFile(name), `run \`${way}\``);
    const built = readFileSync(join(root, `dist/${name}.js`), "utf8");
    assert.ok(served === built, "run `npm run build` in clients/typescript");
  });
}

test("the lock files name no registry", () => {
  for (const folder of ["clients/typescript", "examples/express", "tests/browser"]) {
    const lock = readFileSync(join(repository, folder, "package-lock.json"), "utf8");
    assert.ok(lock.includes('"integrity"') && !/"resolved": "https?:/.test(lock), folder);
  }
});

test("every code that the service's tests and docs name is known", () => {
  const { CODES } = JSON.parse(execFileSync(process.execPath,
    ["-e", "console.log(JSON.stringify(require('@topup/client')))"], { cwd: root }).toString());
  const said = execFileSync("grep", ["-rhoE", "expect_problem\\([0-9]+, \"[a-z_]+\"|[45][0-9]{2} `[a-z_]+`",
    join(repository, "tests/it"), join(repository, "docs")]).toString();
  const named = new Set(said.trim().split("\n").map((line) => line.match(/["`]([a-z_]+)["`]/)[1]));
  assert.ok(named.size > 40, `${named.size}`);
  assert.deepEqual([...named].filter((code) => !CODES.includes(code)), []);
});

test("the package has what it needs and nothing else", () => {
  const files = packed.files.map(({ path }) => path);
  const known = /^(dist\/.+\.(js|d\.ts)|dist\/cjs\/package\.json|package\.json|README\.md)$/;
  for (const path of files) assert.match(path, known);
  const needed = [...Object.keys(FILES).map((name) => `dist/${name}.js`), "dist/esm/index.js", "dist/cjs/react/index.js", "README.md"];
  for (const path of needed) assert.ok(files.includes(path), path);
});

/** Writes the examples of the README into a folder, so that they are checked as well. */
function readmeExamples(folder) {
  const blocks = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/^```ts\n(.*?)^```/gms)];
  assert.ok(blocks.length >= 4, "the README has examples");
  return blocks.map(([, text], index) => {
    writeFileSync(join(folder, `readme${index}.ts`), text);
    return `readme${index}.ts`;
  });
}

for (const [name, file, options] of [
  ["node16, ES modules", "consumer.mts", { module: "node16", moduleResolution: "node16" }],
  ["node16, CommonJS", "consumer.cts", { module: "node16", moduleResolution: "node16" }],
  ["bundler", "consumer.ts", { module: "esnext", moduleResolution: "bundler" }],
]) {
  test(`it type-checks in a strict project: ${name}`, () => {
    const folder = join(project, name.replace(/\W+/g, "-"));
    mkdirSync(folder);
    cpSync(join(root, "test/consumer/consumer.ts"), join(folder, file));
    const files = [file, ...(name === "bundler" ? readmeExamples(folder) : [])];
    const compilerOptions = {
      ...options, target: "es2022", lib: ["es2023", "dom", "dom.iterable"], types: [], noEmit: true, strict: true,
      exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true,
      noPropertyAccessFromIndexSignature: true, skipLibCheck: false,
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder]);
    assert.equal(tsc.status, 0, tsc.stdout.toString());
  });
}

test("it runs as ES modules and as CommonJS, also where there is no page", () => {
  const names = ["", "/webhooks", "/react", "/elements", "/elements/auto-topup", "/elements/manage-plan"]
    .map((path) => `@topup/client${path}`);
  const say = "console.log([a.topup, b.verifyWebhook, c.usePlan, d.configure, e.configure, f.configure]"
    + ".map((it) => typeof it).join())";
  const imports = names.map((name, index) => `import * as ${"abcdef"[index]} from "${name}";`).join("");
  const requires = names.map((name, index) => `const ${"abcdef"[index]} = require("${name}");`).join("");
  writeFileSync(join(project, "run.mjs"), imports + say);
  writeFileSync(join(project, "run.cjs"), requires + say);
  for (const file of ["run.mjs", "run.cjs"]) {
    const said = execFileSync(process.execPath, [join(project, file)]).toString().trim();
    assert.equal(said, names.map(() => "function").join(), file);
  }
});

async function bundled(code) {
  const result = await build({
    stdin: { contents: code, resolveDir: project }, bundle: true, minify: true, format: "esm", write: false,
    external: ["react"],
  });
  return result.outputFiles[0].text;
}

test("a bundler takes only what is used", async () => {
  const webhook = await bundled('import { verifyWebhook } from "@topup/client"; console.log(verifyWebhook);');
  assert.ok(webhook.includes("webhook-signature") && !webhook.includes("idempotency-key"), webhook);
  const format = await bundled('import { formatCredits } from "@topup/client"; console.log(formatCredits);');
  assert.ok(format.length < 600, `${format.length} bytes`);
  const nothing = await bundled('import "@topup/client"; import { topup } from "@topup/client";');
  assert.equal(nothing.trim(), "");
  const elements = await bundled('import "@topup/client/elements";');
  assert.ok(elements.includes("credits-meter") && elements.includes("buy-credits"), "importing them defines them");
  for (const name of ["auto-topup", "manage-plan"]) {
    const alone = await bundled(`import "@topup/client/elements/${name}";`);
    assert.ok(alone.includes(name) && !alone.includes("buy-credits"), "and nothing else");
  }
});

for (const name of Object.keys(FILES)) {
  test(`the elements of ${name}.js are small, and need nothing else`, () => {
    const file = readFileSync(join(root, `dist/${name}.js`));
    const bytes = gzipSync(file, { level: 9 }).length;
    console.log(`${name}.js: ${bytes} bytes gzipped`);
    assert.ok(bytes <= MAX_ELEMENTS_BYTES[name], `${bytes} bytes`);
    assert.doesNotMatch(file.toString(), /\bfrom\s*"|\bimport\s*\(|https?:\/\//, "nothing is loaded from elsewhere");
  });
}
