// hammer.mjs ADDRESS…: says that it has begun, and dials port 8080 of each address again and again until its standard input
// ends. Then it prints as JSON how often (`tries`), and how often each status, or each error, was seen (`answers`). With
// `--keep-alive` before the addresses, its requests follow each other at once, over four connections to each.
import { Agent } from "node:http";
import { send } from "./send.mjs";

const addresses = process.argv.slice(2).filter((argument) => argument !== "--keep-alive");
const keepAlive = addresses.length < process.argv.length - 2;
const agent = keepAlive && new Agent({ keepAlive, maxSockets: 4 });
const answers = {};
let tries = 0;
let ends = false;
process.stdin.resume();
process.stdin.on("end", () => (ends = true));

async function hammer(host) {
  while (!ends) {
    const { status, code } = await send({ host, port: 8080, path: "/", agent, timeout: 300 });
    tries++;
    answers[status || code] = (answers[status || code] ?? 0) + 1;
    if (!keepAlive || code !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

console.log("begun");
// Four for each address: one that waits for an answer is not the only one.
await Promise.all(addresses.flatMap((host) => Array.from({ length: 4 }, () => hammer(host))));
console.log(JSON.stringify({ answers, tries }));
