// The shop's front: one page needs the inventory (HTTP), the pricing (gRPC) and the cache (TCP).
import { createServer } from "node:http";
import { connect } from "node:net";
import { Connections } from "./connections.mjs";
import { endOnSignal, podAddress, serveControl } from "./control.mjs";
import { PricingClient } from "./pricing-client.mjs";

const inventory = process.env["INVENTORY"] ?? "http://inventory:8080";
const [cacheHost = "cache", cachePort = "6000"] = (process.env["CACHE"] ?? "cache:6000").split(":");
const connections = new Connections();
const pricing = new PricingClient(process.env["PRICING"] ?? "http://pricing:50051");
/** Outcomes of calls to the inventory, by status. */
let outcomes = {};

async function callInventory(path) {
  const { status, body } = await connections.get(`${inventory}${path}`);
  outcomes[status] = (outcomes[status] ?? 0) + 1;
  return { status, inventory: parse(body) };
}

/**
 * Asks the cache over a new connection.
 * @param {string} line without its end
 * @returns {Promise<string>} the line of the answer
 */
function askCache(line) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(cachePort), cacheHost, () => socket.write(`${line}\n`));
    let answer = "";
    socket.setEncoding("utf8");
    socket.setTimeout(5000, () => socket.destroy(new Error("the cache does not answer")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the cache hung up")));
    socket.on("data", (part) => {
      answer += part;
      if (!answer.includes("\n")) return;
      resolve(answer.slice(0, answer.indexOf("\n")));
      socket.end();
    });
  });
}

async function page() {
  const item = `item-${Math.floor(Math.random() * 50)}`;
  const [stock, cents, visits] = await Promise.allSettled([
    callInventory(`/stock/${item}`),
    pricing.price(item),
    askCache(`SET ${item} seen`),
  ]);
  const status = stock.value?.status === 200 && cents.value !== undefined && visits.value === "OK" ? 200 : 502;
  const failed = [stock, cents, visits].map((part) => part.reason?.message).filter(Boolean);
  return { status, item, stock: stock.value, cents: cents.value, cache: visits.value, failed };
}

const routes = {
  "/": page,
  // These two pass on the inventory's answer and its status.
  "/stock": () => callInventory("/stock/item-1"),
  "/admin": () => callInventory("/admin/restock"),
};

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://storefront");
  if (pathname === "/healthz") return void response.end("ok\n");
  const route = routes[pathname];
  if (route === undefined) return void response.writeHead(404).end("no such page\n");
  const result = await route();
  response.writeHead(result.status || 502, { "content-type": "application/json" });
  response.end(JSON.stringify(result));
});

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}

serveControl((path) => {
  if (path === "/renew") {
    connections.renew();
    pricing.renew();
  }
  if (path === "/forget") outcomes = {};
  return { pid: process.pid, address: podAddress(), outcomes };
});
endOnSignal();
server.listen(Number(process.env["PORT"] ?? 8080), "::");
