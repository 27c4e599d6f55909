// A cache over plain TCP, one line each way: `GET key` or `SET key value`, answered `VALUE value`, `MISS`, or `OK`.
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { endOnSignal } from "./control.mjs";

const values = new Map();

const server = createServer((socket) => {
  socket.on("error", () => socket.destroy());
  createInterface({ input: socket }).on("line", (line) => {
    const [verb, key = "", ...rest] = line.split(" ");
    if (verb === "SET") values.set(key, rest.join(" "));
    if (!socket.destroyed) socket.write(answer(verb, key));
  });
});

function answer(verb, key) {
  if (verb === "SET") return "OK\n";
  if (verb !== "GET") return "ERROR\n";
  return values.has(key) ? `VALUE ${values.get(key)}\n` : "MISS\n";
}

endOnSignal();
server.listen(Number(process.env["PORT"] ?? 6000), "::");
