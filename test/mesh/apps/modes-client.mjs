// modes-client.mjs HOST…: calls modes-server.mjs at each HOST in all ways at once; prints, as JSON, what came of each: "mtls" or
// "plain" where HTTP was answered, by what the server was told; "answered" for TCP; "refused"; or "silence", where nothing has
// come after 1.5 s, and everybody else has been told something for as long again as that took.
import { get } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const LEAST_MS = 1500;
const PATIENCE_MS = 30_000;
const begun = Date.now();

const http = (host) =>
  new Promise((resolve) => {
    const call = get({ host, agent: false }, (response) => {
      let body = "";
      response.on("data", (part) => (body += part));
      response.on("error", () => resolve("refused"));
      response.on("end", () =>
        resolve(response.statusCode !== 200 ? "refused" : body.includes("URI=spiffe://") ? "mtls" : "plain"),
      );
    });
    call.on("error", () => resolve("refused"));
  });

const tcp = (host, port, say) =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (outcome) => {
      resolve(outcome);
      socket.destroy();
    };
    socket.on("connect", () => socket.write(say));
    // Who takes it for TLS answers with an alert.
    socket.on("data", (data) => settle(String(data) === (say || "220 ready\n") ? "answered" : "refused"));
    socket.on("error", () => settle("refused"));
    socket.on("close", () => settle("refused"));
  });

const hosts = process.argv.slice(2);
const ways = (host) => [http(host), tcp(host, 9000, "no TLS\n"), tcp(host, 9001, ""), tcp(host, 9002, "")];
const calls = hosts.map((host) => [host, ways(host)]);
// Nobody is silent where TLS, or a server, has something to say.
const FIRST = 2;
const others = Promise.all(calls.flatMap(([, outcomes]) => outcomes.filter((_, way) => way !== FIRST)));
const late = sleep(PATIENCE_MS);
const silence = Promise.race([
  late,
  others.then(() => sleep(Math.max(LEAST_MS - (Date.now() - begun), Date.now() - begun))),
]).then(() => "silence");
const answers = await Promise.all(
  calls.map(async ([host, outcomes]) => [
    host,
    await Promise.all(outcomes.map((each) => Promise.race([each, silence]))),
  ]),
);
process.stdout.write(JSON.stringify(Object.fromEntries(answers)), () => process.exit(0));
