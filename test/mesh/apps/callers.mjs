// callers.mjs COUNT URL… : sends COUNT requests to the URLs in turn, eight at a time; over HTTP/2 where the port is 8081, else
// over keep-alive. Prints, as JSON, how often the servers (echo.mjs) were told each X-Forwarded-Client-Cert, and how many
// requests failed.
import { Agent, get } from "node:http";
import { connect } from "node:http2";

const [count, ...urls] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const sessions = new Map();
const told = {};
const reasons = {};
let sent = 0;

function http1(url) {
  return new Promise((resolve, reject) => {
    const call = get(url, { agent, timeout: 5000 }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ status: response.statusCode, body: Buffer.concat(parts).toString() }));
    });
    call.on("timeout", () => call.destroy(new Error("no answer within 5 s")));
    call.on("error", reject);
  });
}

function http2(url) {
  return new Promise((resolve, reject) => {
    const { origin, pathname } = new URL(url);
    if (!sessions.has(origin)) sessions.set(origin, connect(origin));
    const call = sessions.get(origin).request({ ":path": pathname });
    const parts = [];
    let status = 0;
    call.setTimeout(5000, () => call.destroy(new Error("no answer within 5 s")));
    call.on("response", (headers) => (status = headers[":status"]));
    call.on("data", (part) => parts.push(part));
    call.on("end", () => resolve({ status, body: Buffer.concat(parts).toString() }));
    call.on("error", reject);
  });
}

async function one(url) {
  const { status, body } = await (new URL(url).port === "8081" ? http2 : http1)(url);
  if (status !== 200) throw new Error(`${status} ${body}`);
  const { headers } = JSON.parse(body);
  const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === "x-forwarded-client-cert");
  const certificate = at < 0 ? "-" : headers[at + 1];
  told[certificate] = (told[certificate] ?? 0) + 1;
}

await Promise.all(
  Array.from({ length: 8 }, async () => {
    while (sent < Number(count)) {
      await one(urls[sent++ % urls.length]).catch((error) => {
        reasons[error.message] = (reasons[error.message] ?? 0) + 1;
      });
    }
  }),
);
process.stdout.write(JSON.stringify({ told, reasons }), () => process.exit(0));
