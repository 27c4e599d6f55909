// TCP: one stream that reads as fast as it can; or connections one after the other, for one byte there and back each.
import { connect } from "node:net";

/** @param {{ host: string, port: number, onBytes: (bytes: number) => void, onWrong: (reason: string) => void }} options */
export function bulkStream({ host, port, onBytes, onWrong }) {
  const socket = connect({ host, port });
  let ended = false;
  socket.on("connect", () => socket.write("x"));
  socket.on("data", (data) => onBytes(data.length));
  socket.on("error", (error) => !ended && onWrong(error.message));
  return () => {
    ended = true;
    socket.destroy();
  };
}

/** @param {{ host: string, port: number, onAnswer: (ms: number, wrong?: string) => void }} options */
export function shortConnections({ host, port, onAnswer }) {
  let ended = false;
  const next = () => {
    const started = performance.now();
    const socket = connect({ host, port, noDelay: true });
    let got = "";
    socket.on("connect", () => socket.write("x"));
    socket.on("data", (data) => (got += data.toString("latin1")));
    socket.on("error", (error) => (got = error.message));
    socket.on("close", () => {
      if (ended) return;
      onAnswer(performance.now() - started, got === "x" ? undefined : got);
      next();
    });
  };
  next();
  return () => {
    ended = true;
  };
}
