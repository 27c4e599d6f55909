// first-post.mjs BYTES URL…: one POST of so many bytes to each URL, each over a connection of its own, all at once, and the
// body at once with the headers. Prints a JSON line for each, in order: status, and how many bytes the server had read.
import { urlToHttpOptions } from "node:url";
import { send } from "./send.mjs";

const [bytes, ...urls] = process.argv.slice(2);
const payload = Buffer.alloc(Number(bytes), "x");

async function post(url) {
  const options = { ...urlToHttpOptions(new URL(url)), method: "POST", agent: false, timeout: 60_000 };
  const { status, code, body } = await send(options, payload);
  return { status, read: status === 200 ? JSON.parse(body).read : (code ?? body) };
}

for (const answer of await Promise.all(urls.map(post))) console.log(JSON.stringify(answer));
process.exit(0);
