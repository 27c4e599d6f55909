// random-requests.mjs: sends requests, eight at a time. Each line of the input is one: `{host, port, http2, method, path, headers,
// body}`; each line of the output has its number and the status of its answer, 0 where none came, and then why: `[number, status, why]`.
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const AT_A_TIME = 8;
const PATIENCE_MS = 60_000;

/** HTTP/1 as it is written: a library would refuse some paths. */
function http1({ host, port, method, path, headers, body }) {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    let answer = "";
    let why = "closed";
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("no answer in time")));
    socket.on("data", (part) => {
      if (answer.length < 12) answer += part.toString("latin1");
    });
    socket.on("error", ({ message }) => (why = message));
    socket.on("close", () => resolve([Number(/^HTTP\/1\.1 (\d{3})/u.exec(answer)?.[1] ?? 0), why]));
    const lines = [...headers, ["content-length", body], ["connection", "close"]].map(
      ([name, value]) => `${name}: ${value}`,
    );
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    socket.write("b".repeat(body));
  });
}

const sessions = new Map();

function http2({ host, port, method, path, headers, body }) {
  return new Promise((resolve) => {
    let session = sessions.get(host);
    if (session === undefined || session.destroyed || session.closed) {
      session = connectHttp2(`http://${host}:${port}`).on("error", () => {});
      sessions.set(host, session);
    }
    const fields = { ":method": method, ":path": path };
    for (const [name, value] of headers) {
      const field = name === "host" ? ":authority" : name;
      fields[field] = field in fields ? [fields[field], value].flat() : value;
    }
    const stream = session.request(fields, { endStream: body === 0 });
    let status = 0;
    let why = "closed";
    stream.setTimeout(PATIENCE_MS, () => stream.destroy(new Error("no answer in time")));
    stream.on("response", (answer) => (status = answer[":status"])).on("error", ({ message }) => (why = message));
    stream.on("close", () => resolve([status, why])).resume();
    if (body > 0) stream.end("b".repeat(body));
  });
}

let number = 0;
const running = new Set();
for await (const line of createInterface({ input: process.stdin })) {
  const own = number++;
  const request = JSON.parse(line);
  const send = async () => {
    console.log(JSON.stringify([own, ...(await (request.http2 ? http2 : http1)(request))]));
    running.delete(sending);
  };
  const sending = send();
  running.add(sending);
  if (running.size >= AT_A_TIME) await Promise.race(running);
}
await Promise.all(running);
process.exit(0);
