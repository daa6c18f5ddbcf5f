// Builds dist/: ES modules and CommonJS with their types, and files with elements for pages without a bundler.
//
//   node scripts/build.mjs             everything
//   node scripts/build.mjs --elements  only the file with the elements for buying, on standard output
//   node scripts/build.mjs --auto-topup only the file with `<auto-topup>`
import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
// What all supported browsers understand; the same for all formats.
const common = { target: "es2022", platform: "neutral", logLevel: "warning", absWorkingDir: root };

/** Styles stand in template literals, whose white space a minifier has to leave alone. */
const smallStyles = {
  name: "small-styles",
  setup(build) {
    build.onLoad({ filter: /elements\/\w*styles\.ts$/ }, async ({ path }) => {
      const text = (await readFile(path, "utf8")).replace(/^\/\/.*$/gm, "");
      return { contents: text.replace(/`[^`]*`/g, (css) => css.replace(/\s*([{};:,>])\s*|\s+/g, small)), loader: "ts" };
    });
  },
};
/** A colon keeps the space before it: `:host :focus-visible` is not `:host:focus-visible`. */
function small(match, mark) {
  if (mark === undefined) return " ";
  return mark === ":" && /^\s/.test(match) ? " :" : mark;
}

/** The files for `<script type="module">`: each has its elements with all that they need. */
export const FILES = { elements: "src/elements/index.ts", "auto-topup": "src/elements/auto_topup.ts", "manage-plan": "src/elements/manage_plan.ts" };

/** The text of such a file. */
export async function elementsFile(name) {
  const result = await build({
    ...common, entryPoints: [at(FILES[name])], bundle: true, minify: true, format: "esm", write: false,
    mainFields: ["module", "main"], conditions: ["import"], legalComments: "none",
    plugins: [smallStyles], banner: { js: "// Built from clients/typescript of Topup. Do not edit.\n" },
  });
  return result.outputFiles[0].text;
}

async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

async function everything() {
  await rm(at("dist"), { recursive: true, force: true });
  const tsc = spawnSync(process.execPath, [at("node_modules/typescript/bin/tsc"), "-p", root], { stdio: "inherit" });
  if (tsc.status !== 0) process.exit(1);
  const sources = (await filesBelow(at("src"))).filter((path) => path.endsWith(".ts"));
  await build({ ...common, entryPoints: sources, outbase: at("src"), outdir: at("dist/cjs"), format: "cjs" });
  // The same declarations serve both: the nearest package.json says which kind of modules they describe.
  for (const file of (await filesBelow(at("dist/esm"))).filter((path) => path.endsWith(".d.ts"))) {
    const copy = file.replace(at("dist/esm"), at("dist/cjs"));
    await mkdir(dirname(copy), { recursive: true });
    await cp(file, copy);
  }
  await writeFile(at("dist/cjs/package.json"), '{ "type": "commonjs" }\n');
  for (const name of Object.keys(FILES)) await writeFile(at(`dist/${name}.js`), await elementsFile(name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const name = Object.keys(FILES).find((known) => process.argv.includes(`--${known}`));
  if (name) process.stdout.write(await elementsFile(name));
  else await everything();
}
