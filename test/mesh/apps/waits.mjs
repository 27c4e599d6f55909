// waits.mjs HOST STRICT: opens connections to HOST that say nothing, or stop saying something, and one to STRICT. Waits until those
// that a server has to end have ended, and then uses the others. Prints as JSON what became of each.
import { connect } from "node:net";

const [host, strict] = process.argv.slice(2);
const PATIENCE_MS = 30_000;

function open(to, port, first) {
  const socket = connect(port, to);
  const connection = { socket, read: "" };
  socket.on("error", () => {});
  socket.on("data", (bytes) => (connection.read += bytes.toString("latin1")));
  socket.on("connect", () => first !== undefined && socket.write(first));
  return connection;
}

function ends({ socket }) {
  return new Promise((resolve) => {
    socket.on("close", () => resolve(true));
    setTimeout(() => resolve(false), PATIENCE_MS).unref();
  });
}

/** Says more, and waits for what comes. */
async function say(connection, text) {
  connection.read = "";
  connection.socket.write(text);
  for (const end = Date.now() + PATIENCE_MS; connection.read === "" && Date.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return connection.read.split("\r\n")[0];
}

const REQUEST = "GET / HTTP/1.1\r\nHost: web\r\n\r\n";
const silent = open(host, 8080);
const half = open(host, 8080, "GET / HTTP/1.1\r\nHost: web\r\nX-Slow: ");
const handshake = open(strict, 8080);
const pooled = open(host, 8080, REQUEST);
const upload = open(host, 8080, "POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 4\r\n\r\nab");
const bytes = open(host, 9000);
const [silentEnds, halfEnds, handshakeEnds] = await Promise.all([ends(silent), ends(half), ends(handshake)]);
const ended = { silent: silentEnds, half: halfEnds, handshake: handshakeEnds };
const used = {
  pooled: await say(pooled, REQUEST),
  upload: await say(upload, "cd"),
  bytes: await say(bytes, "late\r\n"),
};
console.log(JSON.stringify({ ended, said: half.read.split("\r\n")[0], used }));
process.exit(0);
