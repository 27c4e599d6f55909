// greeted.mjs HOST NAME COUNT: calls greeter.mjs COUNT times, one call after the other, or, without COUNT, from four sides at once
// until standard input ends. Prints, as JSON, how many went well, what went wrong, and the greetings' times in ms.
import { connect } from "node:net";

const PATIENCE_MS = 5000;
const [host, name, count] = process.argv.slice(2);
const wrong = [];
const times = [];

const call = () =>
  new Promise((resolve) => {
    const began = performance.now();
    const socket = connect({ host, port: 9001, timeout: PATIENCE_MS });
    let heard = "";
    const end = (why) => {
      if (why !== undefined) wrong.push(why);
      socket.destroy();
      resolve();
    };
    socket.on("data", (data) => {
      if (heard === "") {
        times.push(performance.now() - began);
        socket.write(`HELO ${name}\n`);
      }
      heard += data;
      if (heard === `220 ready\n250 ${name}\n`) end();
    });
    socket.on("timeout", () => end(`silence after ${JSON.stringify(heard)}`));
    socket.on("error", ({ code }) => end(code));
    socket.on("close", () =>
      end(heard === `220 ready\n250 ${name}\n` ? undefined : `closed after ${JSON.stringify(heard)}`),
    );
  });

if (count === undefined) {
  let over = false;
  process.stdin.on("end", () => (over = true)).resume();
  const side = async () => {
    while (!over) await call();
  };
  console.log("begun");
  await Promise.all([1, 2, 3, 4].map(side));
} else for (let i = 0; i < Number(count); i++) await call();
console.log(
  JSON.stringify({ well: times.length - wrong.length, wrong, times: times.map((each) => Math.round(each * 10) / 10) }),
);
