// hold.mjs HOST PORT COUNT: opens COUNT connections, prints "open", echoes a line over each for every line on standard
// input, and then prints how many answered.
import { connect } from "node:net";
import { createInterface } from "node:readline";

const [host, port, count] = process.argv.slice(2);
const sockets = await Promise.all(
  Array.from(
    { length: Number(count) },
    () =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), host, () => resolve(socket));
        socket.once("error", reject);
      }),
  ),
);
console.log("open");
for await (const line of createInterface({ input: process.stdin })) {
  const answers = await Promise.all(
    sockets.map(
      (socket) =>
        new Promise((resolve) => {
          if (socket.destroyed) return resolve(false);
          socket.once("data", () => resolve(true));
          socket.once("close", () => resolve(false));
          socket.write(`${line}\n`);
        }),
    ),
  );
  console.log(answers.filter(Boolean).length);
}
process.exit(0);
