// first-post.mjs BYTES URL…: one POST of so many bytes to each URL, each over a connection of its own, all at once, and the
// body at once with the headers. Prints a JSON line for each, in order: status, and how many bytes the server had read.
import { request } from "node:http";

const [bytes, ...urls] = process.argv.slice(2);
const body = Buffer.alloc(Number(bytes), "x");

function post(url) {
  return new Promise((resolve) => {
    const sent = request(url, { method: "POST", agent: false, timeout: 10_000 }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => {
        const text = Buffer.concat(parts).toString();
        resolve({ status: response.statusCode, read: response.statusCode === 200 ? JSON.parse(text).read : text });
      });
    });
    sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" })));
    sent.on("error", (error) => resolve({ status: 0, read: error.code }));
    sent.end(body);
  });
}

for (const answer of await Promise.all(urls.map(post))) console.log(JSON.stringify(answer));
process.exit(0);
