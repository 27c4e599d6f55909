// batch.mjs FILE: sends the requests of a JSON file, [{ url, headers: [[name, value], …] }, …], one after the other over one
// connection each, and prints a JSON list of what came: status (0 where no answer came), code (why), body, headers.
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function call({ url, headers }) {
  return new Promise((resolve) => {
    const { host } = new URL(url);
    const sent = request(url, { agent, headers: ["host", host, ...headers.flat()], timeout: 5000 }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () =>
        resolve({ status: response.statusCode, body: Buffer.concat(parts).toString(), headers: response.headers }),
      );
      response.on("error", (error) => resolve({ status: 0, code: error.code, body: "", headers: {} }));
    });
    sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    sent.on("error", (error) => resolve({ status: 0, code: error.code, body: "", headers: {} }));
    sent.end();
  });
}

const answers = [];
for (const each of JSON.parse(readFileSync(process.argv[2], "utf8"))) answers.push(await call(each));
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
