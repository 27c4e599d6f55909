// short-connections.mjs HOST PORT COUNT: so many TCP connections, eight at a time: one byte there, one byte back, closed.
// Prints how many were answered, and why others were not.
import { connect } from "node:net";

const [host, port, count] = process.argv.slice(2);
const failures = {};
let left = Number(count);
let answered = 0;

function once() {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    let outcome = "closed";
    socket.setTimeout(5000, () => socket.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    socket.on("connect", () => socket.write("x"));
    socket.on("data", () => {
      outcome = "answered";
      socket.end();
    });
    socket.on("error", (error) => (outcome = error.code));
    socket.on("close", () => resolve(outcome));
  });
}

async function worker() {
  while (left-- > 0) {
    const outcome = await once();
    if (outcome === "answered") answered++;
    else failures[outcome] = (failures[outcome] ?? 0) + 1;
  }
}

await Promise.all(Array.from({ length: 8 }, worker));
console.log(JSON.stringify({ answered, failures }));
process.exit(0);
