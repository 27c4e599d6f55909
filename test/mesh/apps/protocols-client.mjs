// protocols-client.mjs HOST: one call of each kind to protocols-server.mjs; prints what came of them as JSON.
import { get, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";

const host = process.argv[2];

const http1 = () =>
  new Promise((resolve, reject) => {
    get({ host, path: "/a%2Fb/../c?q=%20", headers: { "X-Odd-CASE": "1" } }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () =>
        resolve({
          body: JSON.parse(Buffer.concat(parts).toString()),
          headers: response.rawHeaders,
          trailers: response.rawTrailers,
        }),
      );
    }).on("error", reject);
  });

const webSocket = () =>
  new Promise((resolve, reject) => {
    const call = request({ host, path: "/ws", headers: { Connection: "Upgrade", Upgrade: "websocket" } });
    call.on("upgrade", (_response, socket) => {
      socket.once("data", (data) => {
        resolve(String(data));
        socket.destroy();
      });
      socket.write("frames");
    });
    call.on("response", (response) => reject(new Error(`status ${response.statusCode}`)));
    call.on("error", reject);
    call.end();
  });

const http2 = () =>
  new Promise((resolve, reject) => {
    const session = connectHttp2(`http://${host}:8081`);
    session.on("error", reject);
    const stream = session.request({
      ":method": "POST",
      ":path": "/shop.Pricing/Get",
      "content-type": "application/grpc",
    });
    const result = {};
    stream.on("data", (data) => (result.body = String(data)));
    stream.on("trailers", (trailers) => (result.grpcStatus = trailers["grpc-status"]));
    stream.on("close", () => {
      session.close();
      resolve(result);
    });
    stream.on("error", reject);
    stream.end();
  });

const serverFirst = () =>
  new Promise((resolve, reject) => {
    const socket = connect(9001, host);
    socket.on("error", reject);
    socket.once("data", (data) => {
      resolve(String(data));
      socket.destroy();
    });
  });

const settle = (call) =>
  Promise.race([call(), new Promise((_, late) => setTimeout(() => late(new Error("no answer")), 10_000))]).catch(
    (error) => ({ failed: String(error) }),
  );
console.log(
  JSON.stringify({
    http1: await settle(http1),
    webSocket: await settle(webSocket),
    http2: await settle(http2),
    serverFirst: await settle(serverFirst),
  }),
);
process.exit(0);
