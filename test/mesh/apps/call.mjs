// call.mjs URL [HEADER: VALUE]… [--times N]: sends a request, N times one after the other. Prints a JSON line for each:
// status (0 where no answer came), code (why), body, headers.
import { send } from "./send.mjs";

const [url, ...rest] = process.argv.slice(2);
const times = rest.includes("--times") ? Number(rest[rest.indexOf("--times") + 1]) : 1;
const headers = Object.fromEntries(rest.filter((part) => part.includes(": ")).map((part) => part.split(": ")));
// The URL as it is: `new URL` would resolve dots.
const [, host, port, path] = /^http:\/\/(\[[^\]]+\]|[^/:]+)(?::(\d+))?(\/.*)$/u.exec(url) ?? [];
const options = { host: host.replace(/^\[|\]$/gu, ""), port: Number(port ?? 80), path, headers, timeout: 5000 };

for (let i = 0; i < times; i++) console.log(JSON.stringify(await send(options)));
process.exit(0);
