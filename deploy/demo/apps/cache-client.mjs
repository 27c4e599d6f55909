// One connection for each question to the cache.
import { connect } from "node:net";

/**
 * @param {string} host
 * @param {number} port
 * @param {string} line without its end
 * @returns {Promise<string>} the line of the answer
 */
export function ask(host, port, line) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(`${line}\n`));
    let said = "";
    socket.setEncoding("utf8");
    socket.setTimeout(5000, () => socket.destroy(new Error("the cache does not answer")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the cache hung up")));
    socket.on("data", (part) => {
      said += part;
      if (!said.includes("\n")) return;
      resolve(said.slice(0, said.indexOf("\n")));
      socket.end();
    });
  });
}
