// requests.mjs COUNT URL… : sends COUNT requests (-: until its input ends), to the URLs in turn, over keep-alive. Prints, as JSON, how often each
// address was seen as the caller's, and how many requests failed. Until its input ends, it first prints a line: the first answer is there.
import { Agent, get } from "node:http";

const [argument = "1", ...urls] = process.argv.slice(2);
let count = argument === "-" ? Infinity : Number(argument);
if (argument === "-") process.stdin.resume().on("end", () => (count = 0));
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const peers = {};
let begun = false;
let failed = 0;
let sent = 0;

function one(url) {
  return new Promise((resolve) => {
    const call = get(url, { agent, timeout: 5000 }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => {
        if (count === Infinity && !begun) console.log("{}");
        begun = true;
        if (response.statusCode === 200) {
          const { peer } = JSON.parse(Buffer.concat(parts).toString());
          peers[peer] = (peers[peer] ?? 0) + 1;
        } else failed++;
        resolve();
      });
    });
    call.on("timeout", () => call.destroy(new Error("no answer within 5 s")));
    call.on("error", () => {
      failed++;
      resolve();
    });
  });
}

await Promise.all(
  Array.from({ length: 8 }, async () => {
    while (sent < count) await one(urls[sent++ % urls.length]);
  }),
);
console.log(JSON.stringify({ peers, sent, failed }));
process.exit(0);
