// Persistent HTTP/1.1 connections, one request at a time on each. Responses are read by hand: a client library would cost
// more than what is measured.
import { connect } from "node:net";

const HEADER_END = Buffer.from("\r\n\r\n");
const BODY_BYTES = 1024;

/** The tokens of all connections are sent in turns. */
let sent = 0;

/** @param {{ host: string, port: number, address?: string, tokens: readonly string[], onAnswer: (ms: number, wrong?: string) => void }} options */
export function http1Connection({ host, port, address = host, tokens, onAnswer }) {
  const requestWith = (more) => Buffer.from(`GET /bench HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`);
  const requests =
    tokens.length === 0 ? [requestWith("")] : tokens.map((token) => requestWith(`Authorization: Bearer ${token}\r\n`));
  const socket = connect({ host: address, port, noDelay: true });
  let pending = Buffer.alloc(0);
  let started = 0;
  let ended = false;
  const send = () => {
    started = performance.now();
    socket.write(requests[sent++ % requests.length]);
  };
  socket.on("connect", send);
  socket.on("error", (error) => !ended && onAnswer(0, error.message));
  socket.on("close", () => !ended && onAnswer(0, "the connection was closed"));
  socket.on("data", (data) => {
    pending = pending.length === 0 ? data : Buffer.concat([pending, data]);
    const end = pending.indexOf(HEADER_END);
    if (end < 0 || pending.length < end + HEADER_END.length + BODY_BYTES) return;
    const head = pending.toString("latin1", 0, end);
    const body = pending.toString("latin1", end + HEADER_END.length, end + HEADER_END.length + 12);
    const right = head.startsWith("HTTP/1.1 200 ") && /^x-app: bench$/imu.test(head) && body === "ambit-bench-";
    pending = Buffer.alloc(0);
    onAnswer(performance.now() - started, right ? undefined : head);
    if (!ended) send();
  });
  return () => {
    ended = true;
    socket.destroy();
  };
}
