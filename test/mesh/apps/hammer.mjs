// hammer.mjs ADDRESS…: says that it has begun, and dials port 8080 of each address again and again until its standard input
// ends. Then it prints as JSON how often (`tries`), and how often each status, or each error, was seen (`answers`).
import { send } from "./send.mjs";

const answers = {};
let tries = 0;
let ends = false;
process.stdin.resume();
process.stdin.on("end", () => (ends = true));

async function hammer(host) {
  while (!ends) {
    const { status, code } = await send({ host, port: 8080, path: "/", agent: false, timeout: 300 });
    tries++;
    answers[status || code] = (answers[status || code] ?? 0) + 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

console.log("begun");
// Four for each address: one that waits for an answer is not the only one.
await Promise.all(process.argv.slice(2).flatMap((host) => Array.from({ length: 4 }, () => hammer(host))));
console.log(JSON.stringify({ answers, tries }));
