// large-requests.mjs URL KIND COUNT: sends requests that cost a proxy the most that a stranger can make them cost, eight at a time.
// KIND: path (57 kB that end in a dot), headers (240 equal ones), codes (asks a server of odd-codes.mjs for all codes). COUNT is a
// number, or a time such as 10s. Prints how many answers there were, by status.
import { Agent, request } from "node:http";

const [url, kind, count] = process.argv.slice(2);
const { hostname: host, port } = new URL(url);
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const LARGE = `/${"a".repeat(57_000)}/.`;
const MANY = Array.from({ length: 240 }, () => ["x-many", "a".repeat(300)]).flat();

function options(index) {
  if (kind === "path") return { path: LARGE };
  if (kind === "headers") return { path: "/", headers: ["host", host, ...MANY] };
  return { path: `/${200 + (index % 800)}` };
}

const answers = {};
const send = (index) =>
  new Promise((resolve) => {
    const done = (status) => {
      answers[status] = (answers[status] ?? 0) + 1;
      resolve();
    };
    const sent = request({ host, port: port || 80, agent, timeout: 30_000, ...options(index) }, (response) => {
      response
        .resume()
        .on("end", () => done(response.statusCode))
        .on("error", () => done(0));
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.on("error", () => done(0));
    sent.end();
  });

let next = 0;
const ends = count.endsWith("s") ? Date.now() + 1000 * Number.parseInt(count, 10) : Infinity;
const goesOn = () => (ends === Infinity ? next < Number(count) : Date.now() < ends);
await Promise.all(
  Array.from({ length: 8 }, async () => {
    while (goesOn()) await send(next++);
  }),
);
console.log(JSON.stringify(answers));
process.exit(0);
