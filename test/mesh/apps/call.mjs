// call.mjs URL [HEADER: VALUE]… [--times N]: sends a request, N times one after the other. Prints a JSON line for each:
// status (0 where no answer came), code (why), body, headers.
import { request } from "node:http";

const [url, ...rest] = process.argv.slice(2);
const times = rest.includes("--times") ? Number(rest[rest.indexOf("--times") + 1]) : 1;
const given = rest.filter((part) => part.includes(": ")).map((part) => part.split(": "));
// The URL as it is: `new URL` would resolve dots.
const [, host, port, path] = /^http:\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?(\/.*)$/u.exec(url) ?? [];

function call() {
  return new Promise((resolve) => {
    const options = { host: host.replace(/^\[|\]$/gu, ""), port: Number(port ?? 80), path, timeout: 3000 };
    const headers = Object.fromEntries(given);
    const sent = request({ ...options, headers }, (response) => {
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

for (let i = 0; i < times; i++) console.log(JSON.stringify(await call()));
process.exit(0);
