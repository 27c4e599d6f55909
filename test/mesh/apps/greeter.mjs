// greeter.mjs FILE: on 9001 a server that speaks first: "220 ready", then "250 NAME" to a client's "HELO NAME". Adds to FILE what
// clients have said, each a line: "HELO NAME", or else the first bytes in hexadecimal.
import { appendFileSync } from "node:fs";
import { createServer } from "node:net";

createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.once("data", (data) => {
    const [, name] = /^HELO (\w+)\n$/u.exec(String(data)) ?? [];
    appendFileSync(process.argv[2], name === undefined ? `${data.subarray(0, 16).toString("hex")}\n` : String(data));
    socket.end(`250 ${name}\n`);
  });
  socket.write("220 ready\n");
}).listen(9001, "::");
