// stuck.mjs serve: takes connections on 8080 and reads nothing.
// stuck.mjs HOST PORT COUNT: opens COUNT connections, each with four requests over HTTP/2 whose bodies nobody reads.
// Prints "sent" when nothing more leaves. When its input ends, prints as JSON how many requests were ended by somebody else.
import { connect } from "node:http2";
import { createServer } from "node:net";

const [host, port, count] = process.argv.slice(2);
const PART = Buffer.alloc(64 << 10);
const PARTS = 64;
const STREAMS = 4;
const QUIET_MS = 1_500;
let ended = 0;
let moved = Date.now();

if (host === "serve") {
  createServer({ pauseOnConnect: true }, (socket) => socket.on("error", () => {})).listen(8080, "::");
} else {
  for (let i = 0; i < Number(count); i++) send();
  while (Date.now() - moved < QUIET_MS) await new Promise((resolve) => setTimeout(resolve, 50));
  console.log("sent");
  process.stdin.resume().on("end", () => process.stdout.write(JSON.stringify({ ended }) + "\n", () => process.exit(0)));
}

/** Writes as long as somebody reads. */
async function fill(stream) {
  let isOver = false;
  stream.on("error", () => {}).setMaxListeners(PARTS + 10);
  stream.on("close", () => {
    isOver = true;
    ended++;
  });
  stream.resume();
  for (let i = 0; i < PARTS && !isOver; i++) {
    moved = Date.now();
    if (!stream.write(PART)) {
      await new Promise((resolve) => stream.once("drain", resolve).once("close", resolve));
    }
  }
}

function send() {
  const session = connect(`http://${host}:${port}`);
  session.on("error", () => {});
  for (let i = 0; i < STREAMS; i++) void fill(session.request({ ":method": "POST", ":path": "/" }));
}
