// Writes src/schema.ts from the API's description. `node scripts/generate.mjs --check` fails if it differs.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const document = new URL("../../../openapi/openapi.json", import.meta.url);
const target = new URL("../src/schema.ts", import.meta.url);
const header = "// Generated from openapi/openapi.json by `npm run generate`. Do not edit.\n\n";

/** The types of the API's description as it is now. */
export const generated = async () => header + astToString(await openapiTS(document));

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const text = await generated();
  if (process.argv.includes("--check")) {
    if ((await readFile(target, "utf8")) !== text) {
      console.error("src/schema.ts differs from openapi/openapi.json: npm run generate --prefix clients/typescript");
      process.exitCode = 1;
    }
  } else {
    await writeFile(target, text);
  }
}
