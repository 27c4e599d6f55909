// HTTP/2 connections without TLS, one request at a time on each; gRPC is the same with its frame and trailers.
import { connect } from "node:http2";

const GRPC_REQUEST = Buffer.concat([Buffer.from([0, 0, 0, 0, 5]), Buffer.from("hello")]);

/** @param {{ host: string, port: number, address?: string, grpc: boolean, onAnswer: (ms: number, wrong?: string) => void }} options */
export function http2Connection({ host, port, address = host, grpc, onAnswer }) {
  const session = connect(`http://${address}:${port}`);
  const headers = grpc
    ? {
        ":method": "POST",
        ":path": "/bench.Bench/Get",
        ":authority": host,
        "content-type": "application/grpc",
        te: "trailers",
      }
    : { ":method": "GET", ":path": "/bench", ":authority": host };
  let ended = false;
  session.on("error", (error) => !ended && onAnswer(0, error.message));
  session.on("close", () => !ended && onAnswer(0, "the connection was closed"));
  const send = () => {
    const started = performance.now();
    const stream = session.request(headers, { endStream: !grpc });
    let status = "";
    let bytes = 0;
    let grpcStatus = "";
    stream.on("response", (response) => {
      status = response["x-app"] === "bench" ? String(response[":status"]) : "not the application";
    });
    stream.on("trailers", (trailers) => (grpcStatus = String(trailers["grpc-status"])));
    stream.on("data", (data) => (bytes += data.length));
    stream.on("error", (error) => !ended && onAnswer(0, error.message));
    stream.on("end", () => {
      const right = status === "200" && bytes === (grpc ? 1029 : 1024) && (!grpc || grpcStatus === "0");
      onAnswer(performance.now() - started, right ? undefined : `status ${status}, ${bytes} bytes, gRPC ${grpcStatus}`);
      if (!ended) send();
    });
    if (grpc) stream.end(GRPC_REQUEST);
  };
  session.on("connect", send);
  return () => {
    ended = true;
    session.destroy();
  };
}
