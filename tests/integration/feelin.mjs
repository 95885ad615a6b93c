// Evaluates a JSON array of FEEL expressions from standard input by feelin, whose module is the first argument.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { evaluate } = await import(pathToFileURL(process.argv[2]).href);

function plain(value) {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (value.constructor !== Object) return { "@": String(value) };
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
}

function result(source) {
  try {
    return plain(evaluate(source, {}).value);
  } catch (error) {
    return { error: error.message };
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(result)));
