// batch.mjs FILE: sends the requests of a JSON file, [{ url, headers: [[name, value], …] }, …], one after the other over one
// connection each, and prints a JSON list of what came: status (0 where no answer came), code (why), body, headers.
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { urlToHttpOptions } from "node:url";
import { send } from "./send.mjs";

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const answers = [];
for (const { url, headers } of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const to = new URL(url);
  const options = { agent, headers: ["host", to.host, ...headers.flat()], timeout: 5000 };
  answers.push(await send({ ...urlToHttpOptions(to), ...options }));
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
