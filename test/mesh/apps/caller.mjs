// caller.mjs: for each line of standard input, a JSON object, makes a call and prints a line: its `id`, and what became of it.
// { id, address, port, method, path, headers: [name, value, …] }: a request on a connection of its own; status, or code.
// With `tell` the line holds the answer's body, too.
// The same with `hold`: the request is begun, and never ends.
// { id, address, port }: a TCP connection that sends a line and waits for it to come back; status 200 if it does.
import { request } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { send } from "./send.mjs";

// A busy machine has been seen to stand still for ten seconds.
const PATIENCE_MS = 30_000;

async function http({ address, port, method, path, headers, tell }) {
  const options = { host: address, port, method, path, headers, agent: false, timeout: PATIENCE_MS };
  const { status, code, body } = await send(options);
  return { status, code, body: tell ? body : undefined };
}

function hold({ address, port, method, path, headers }) {
  const sent = request({
    host: address,
    port,
    method,
    path,
    headers: [...headers, "Transfer-Encoding", "chunked"],
    agent: false,
  });
  return new Promise((resolve) => {
    sent.on("error", (error) => resolve({ status: 0, code: error.code }));
    sent.write("begun", () => resolve({ status: 100 }));
  });
}

function tcp({ address, port }) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: PATIENCE_MS }, () => socket.write("line\n"));
    const end = (outcome) => {
      socket.destroy();
      resolve(outcome);
    };
    // A TLS alert is no answer.
    socket.on("data", (data) => end(String(data).startsWith("line") ? { status: 200 } : { status: 0, code: "other" }));
    socket.on("close", () => end({ status: 0, code: "closed" }));
    socket.on("timeout", () => end({ status: 0, code: "ETIMEDOUT" }));
    socket.on("error", (error) => end({ status: 0, code: error.code }));
  });
}

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { id, ...call } = JSON.parse(line);
    const outcome = await (call.path === undefined ? tcp(call) : call.hold ? hold(call) : http(call));
    process.stdout.write(`${JSON.stringify({ id, ...outcome })}\n`);
  })
  .on("close", () => process.exit(0));
