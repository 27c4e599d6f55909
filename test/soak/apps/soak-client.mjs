// soak-client.mjs NAME… : steady load in all protocols, until its input ends. `NAME` is a Service to call. Each second it
// prints a JSON line: how many were right by kind, and every failure with its time (ms since 1970), kind and reason.
import { Agent, get } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setInterval } from "node:timers";

/** Times a second, for each Service called; together some 150 by one client of one Service. */
const RATES = { http1: 60, http2: 30, grpc: 30, short: 20 };
const STREAMS = 5;
const STREAM_PING_MS = 200;
const PATIENCE_MS = 5_000;

const [steady, ...services] = process.argv.slice(2);
let right = {};
let failures = [];
const succeed = (kind) => (right[kind] = (right[kind] ?? 0) + 1);
const fail = (kind, host, started, reason) =>
  failures.push({ at: Date.now(), started, kind, reason: `${host}: ${String(reason)}` });

const agent = new Agent({ keepAlive: true, maxSockets: 16 });
function http1(host) {
  const started = Date.now();
  const path = `/soak?${started}`;
  const request = get({ host, port: 8080, path, agent, timeout: PATIENCE_MS }, (response) => {
    let body = "";
    response.on("data", (part) => (body += part));
    response.on("end", () => {
      if (response.statusCode === 200 && body.includes(JSON.stringify(path))) succeed("http1");
      else fail("http1", host, started, `${response.statusCode} ${body.slice(0, 160)}`);
    });
    response.on("error", (error) => fail("http1", host, started, error.message));
  });
  request.on("timeout", () => request.destroy(new Error("no answer")));
  request.on("error", (error) => fail("http1", host, started, error.message));
}

/** One session for each Service and kind; a new one where it is gone. */
const sessions = new Map();
function sessionOf(kind, host) {
  const key = `${kind} ${host}`;
  const known = sessions.get(key);
  if (known !== undefined && !known.closed && !known.destroyed) return known;
  const session = connectHttp2(`http://${host}:8081`);
  session.on("error", () => session.destroy());
  session.on("goaway", () => session.close());
  sessions.set(key, session);
  return session;
}

function http2(kind, host) {
  const started = Date.now();
  let call;
  try {
    call = sessionOf(kind, host).request(
      kind === "grpc"
        ? { ":method": "POST", ":path": "/soak.Soak/Get", "content-type": "application/grpc", te: "trailers" }
        : { ":method": "POST", ":path": "/soak" },
    );
  } catch (error) {
    fail(kind, host, started, error.message);
    return;
  }
  let status = 0;
  let grpcStatus = "";
  let body = "";
  let done = false;
  const finish = (reason) => {
    if (done) return;
    done = true;
    if (reason === undefined) succeed(kind);
    else fail(kind, host, started, reason);
  };
  call.setTimeout(PATIENCE_MS, () => call.destroy(new Error("no answer")));
  call.on("response", (headers) => (status = headers[":status"]));
  call.on("trailers", (trailers) => (grpcStatus = trailers["grpc-status"]));
  call.on("data", (part) => (body += part));
  call.on("error", (error) => finish(error.message));
  call.on("close", () => {
    const isRight = status === 200 && body === "soak" && (kind !== "grpc" || grpcStatus === "0");
    finish(isRight ? undefined : `${status} ${body.slice(0, 160)} ${grpcStatus}`);
  });
  call.end("x");
}

function short(host) {
  const started = Date.now();
  const socket = connect({ host, port: 9001 });
  let got = "";
  let problem = "closed without an answer";
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("no answer")));
  socket.on("connect", () => socket.write("x"));
  socket.on("data", (data) => (got += data));
  socket.on("error", (error) => (problem = error.message));
  socket.on("close", () => (got === "x" ? succeed("short") : fail("short", host, started, problem)));
}

/** A stream that lives as long as it can: what is sent comes back, in order. */
function stream(host) {
  const started = Date.now();
  const socket = connect({ host, port: 9002 });
  let sent = 0;
  let received = 0;
  let problem = "closed";
  const ping = setInterval(() => {
    if (sent - received > PATIENCE_MS / STREAM_PING_MS) socket.destroy(new Error("no echo"));
    socket.write(".");
    sent++;
  }, STREAM_PING_MS);
  socket.on("data", (data) => {
    received += data.length;
    succeed("stream");
  });
  socket.on("error", (error) => (problem = error.message));
  socket.on("close", () => {
    clearInterval(ping);
    fail("stream", host, started, problem);
    setTimeout(() => stream(host), 200);
  });
}

const kinds = { http1, http2: (host) => http2("http2", host), grpc: (host) => http2("grpc", host), short };
for (const [kind, rate] of Object.entries(RATES)) {
  for (const host of [steady, ...services]) setInterval(() => kinds[kind](host), 1000 / rate);
}
for (let i = 0; i < STREAMS; i++) stream(steady);
setInterval(() => {
  console.log(JSON.stringify({ at: Date.now(), right, failures }));
  right = {};
  failures = [];
}, 1000);
process.stdin.resume().on("end", () => process.exit(0));
