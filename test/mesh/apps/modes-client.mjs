// modes-client.mjs HOST…: calls modes-server.mjs at each HOST in all ways at once; prints, as JSON, what came of each: "mtls" or
// "plain" where HTTP was answered, by what the server was told; "answered" for TCP; "refused"; or "silence", after 1.5 s.
import { get } from "node:http";
import { connect } from "node:net";

const PATIENCE_MS = 1500;

const http = (host) =>
  new Promise((resolve) => {
    const call = get({ host, agent: false, timeout: PATIENCE_MS }, (response) => {
      let body = "";
      response.on("data", (part) => (body += part));
      response.on("error", () => resolve("refused"));
      response.on("end", () =>
        resolve(response.statusCode !== 200 ? "refused" : body.includes("URI=spiffe://") ? "mtls" : "plain"),
      );
    });
    call.on("timeout", () => {
      resolve("silence");
      call.destroy();
    });
    call.on("error", () => resolve("refused"));
  });

const tcp = (host, port, say) =>
  new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MS });
    const settle = (outcome) => {
      resolve(outcome);
      socket.destroy();
    };
    socket.on("connect", () => socket.write(say));
    // Who takes it for TLS answers with an alert.
    socket.on("data", (data) => settle(String(data) === (say || "220 ready\n") ? "answered" : "refused"));
    socket.on("timeout", () => settle("silence"));
    socket.on("error", () => settle("refused"));
    socket.on("close", () => settle("refused"));
  });

const answers = await Promise.all(
  process.argv.slice(2).map(async (host) => {
    const calls = [http(host), tcp(host, 9000, "no TLS\n"), tcp(host, 9001, ""), tcp(host, 9002, "")];
    return [host, await Promise.all(calls)];
  }),
);
process.stdout.write(JSON.stringify(Object.fromEntries(answers)), () => process.exit(0));
