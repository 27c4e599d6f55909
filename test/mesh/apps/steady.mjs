// steady.mjs RATE STREAMS NAME… : RATE requests a second to echo.mjs behind each Service NAME in turns (one in ten over HTTP/2,
// one in ten over a connection of its own), RATE / 20 short TCP connections a second, and STREAMS TCP streams on which bytes go
// and come all the time, and are compared. Prints "open" when all streams stand, and when its input ends, as JSON, how many
// requests, connections and bytes were right, and everything that was not, with its time.
import { Agent, get } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setInterval } from "node:timers";

const [rate, streams, ...names] = process.argv.slice(2);
// A machine that runs all tests at once may stop for seconds, and a SYN that is dropped then is sent again after 1, 3 and 7 seconds.
const PATIENCE_MS = 20_000;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const noAnswer = () => new Error("no answer");
const right = { http1: 0, http2: 0, short: 0, bytes: 0 };
const wrong = [];
const underWay = new Set();

function track(kind, name, outcome) {
  const started = Date.now();
  const done = outcome.then(
    () => right[kind]++,
    (error) => {
      const at = new Date().toISOString();
      wrong.push({ what: `${kind} ${name}`, at, afterMs: Date.now() - started, reason: String(error.message) });
    },
  );
  underWay.add(done);
  void done.finally(() => underWay.delete(done));
}

const http1 = (name, pooled) =>
  new Promise((resolve, reject) => {
    const options = { host: name, path: "/", agent: pooled ? agent : false, timeout: PATIENCE_MS };
    const call = get(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${response.statusCode} ${Buffer.concat(parts).toString()}`));
      });
    });
    call.on("timeout", () => call.destroy(noAnswer()));
    call.on("error", reject);
  });

const sessions = new Map();
function sessionOf(name) {
  const known = sessions.get(name);
  if (known !== undefined && !known.closed && !known.destroyed) return known;
  const session = connectHttp2(`http://${name}:8081`);
  session.on("error", () => session.destroy());
  session.on("goaway", () => session.close());
  sessions.set(name, session);
  return session;
}

const http2 = (name) =>
  new Promise((resolve, reject) => {
    const call = sessionOf(name).request({ ":path": "/" });
    let status = 0;
    call.setTimeout(PATIENCE_MS, () => call.destroy(noAnswer()));
    call.on("response", (headers) => (status = headers[":status"]));
    call.on("error", reject);
    call.on("close", () => (status === 200 ? resolve() : reject(new Error(`status ${status}`))));
    call.resume();
  });

const short = (name) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: name, port: 9000 });
    let got = "";
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(noAnswer()));
    socket.on("connect", () => socket.write("x"));
    socket.on("data", (data) => {
      got += data;
      socket.end();
    });
    socket.on("error", reject);
    socket.on("close", () => (got === "x" ? resolve() : reject(new Error("closed without an answer"))));
  });

/** Each byte follows from its place, so that one that is lost, doubled or another's shows. Rejects when it ends. */
function stream(name) {
  const socket = connect({ host: name, port: 9000 });
  let sent = 0;
  let received = 0;
  const write = () => {
    if (sent - received > (256 * PATIENCE_MS) / 50) socket.destroy(new Error("no echo"));
    socket.write(Buffer.from(Array.from({ length: 256 }, () => sent++ % 251)));
  };
  socket.on("data", (data) => {
    if (data.some((byte) => byte !== received++ % 251)) socket.destroy(new Error(`byte ${received} is another`));
    right.bytes += data.length;
  });
  const timer = setInterval(write, 50);
  const ended = new Promise((_, reject) => {
    socket.on("error", reject);
    socket.on("close", () => {
      clearInterval(timer);
      reject(new Error(`closed after ${received} bytes`));
    });
  });
  return { open: new Promise((resolve) => socket.once("data", resolve).once("close", resolve)), ended };
}

const opened = Array.from({ length: Number(streams) }, (_, i) => {
  const name = names[i % names.length];
  const { open, ended } = stream(name);
  ended.catch((error) => wrong.push({ what: `stream ${name}`, at: new Date().toISOString(), reason: error.message }));
  return open;
});
await Promise.all(opened);
console.log("open");

let turn = 0;
function next() {
  const name = names[turn % names.length];
  const kind = Math.floor(turn / names.length) % 10;
  if (kind === 0) track("http2", name, http2(name));
  else track("http1", name, http1(name, kind !== 1));
  if (turn % 20 < names.length) track("short", name, short(name));
  turn++;
}
// By the clock: an interval alone falls behind on a machine that is busy.
const begun = Date.now();
const pace = setInterval(() => {
  while (turn < ((Date.now() - begun) * Number(rate)) / 1000) next();
}, 5);
process.stdin.resume().on("end", async () => {
  clearInterval(pace);
  await Promise.all(underWay);
  process.stdout.write(JSON.stringify({ seconds: (Date.now() - begun) / 1000, right, wrong }), () => process.exit(0));
});
