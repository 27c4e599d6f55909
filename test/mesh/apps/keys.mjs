// keys.mjs FILE: serves what a file holds at the moment, on 8080.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

createServer((_, response) => response.end(readFileSync(process.argv[2]))).listen(8080, "::");
