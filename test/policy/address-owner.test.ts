import { describe, expect, it } from "vitest";
import { toldTo } from "../../agent/compile/filters/filter-extensions.ts";
import { peerString } from "../../agent/compile/filters/peer-string.ts";
import { explainCall } from "../../agent/policy/explain.ts";
import { CHAIN } from "../filters/chain.ts";
import { compiled } from "../golden/golden-options.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { ALICE, allow, type Caller, deny, from, when } from "./case.ts";
import { ADDRESSES, meshOf } from "./world.ts";

const SCOPE = { rootNamespace: "istio-system", trustDomain: "cluster.local" };

/** How the destination answers plaintext from the address of one of the world's pods: to a request, a connection, and in words. */
async function answers(policies: string, caller: Caller | "nobody"): Promise<readonly unknown[]> {
  const mesh = await meshOf({ name: "", policies, call: {}, verdict: "allowed" });
  const web = mesh.workloads.find(({ meta }) => meta.name === "web");
  if (web === undefined) throw new Error("the world has no web");
  const address = caller === "nobody" ? "192.0.2.1" : ADDRESSES[caller];
  const { filters } = compiled(mesh);
  const destination = peerString(web, "cluster.local");
  const properties = { "filter_state/ambit.local_port": "8080", "filter_state/ambit.peer_ip": address };

  const http = new WasmHost(CHAIN);
  expect(http.configure("guard", toldTo("guard", filters))).toBe(true);
  expect(http.configure("inbound", toldTo("inbound", filters))).toBe(true);
  const headers = { ":method": "GET", ":path": "/", ":authority": "web.shop" };
  const request = http.request({
    headers: [...Object.entries(headers), ["x-ambit-source", "-"], ["x-ambit-destination", destination]],
    properties,
  });

  const tcp = new WasmHost(CHAIN);
  expect(tcp.configure("guard", toldTo("guard", filters))).toBe(true);
  const connection = tcp.connection({ properties: { ...properties, "filter_state/ambit.destination": destination } });

  const said = { protocol: "http", port: 8080, sni: "", host: "web.shop", method: "GET", path: "/" } as const;
  const explained = explainCall(mesh, SCOPE, undefined, web, {
    ...said,
    headers: [],
    claims: undefined,
    sourceAddress: address,
  });
  return [
    request.answer?.status === 403 ? "denied" : "allowed",
    connection.isClosed ? "denied" : "allowed",
    explained.verdict,
  ];
}

const DENIED = ["denied", "denied", "denied"];
const ALLOWED = ["allowed", "allowed", "allowed"];

describe("plaintext from the address of a pod of the mesh", () => {
  it.each([
    ["its namespace", deny(from("namespaces: [shop]"))],
    ["its principal", deny(from(`principals: [${ALICE}]`))],
    ["its service account", deny(from("serviceAccounts: [alice]"))],
    ["a condition about its namespace", deny(when("source.namespace", "values: [shop]"))],
    ["its namespace, but other addresses", deny(from(`namespaces: [shop], notIpBlocks: [${ADDRESSES.bob}]`))],
  ])("is denied by a DENY policy about %s", async (_, policies) => {
    expect(await answers(policies, "alice")).toEqual(DENIED);
  });

  it.each([
    ["another namespace", deny(from("namespaces: [ops]"))],
    ["its namespace without its account", deny(from("namespaces: [shop], notPrincipals: ['*/sa/alice']"))],
  ])("is not denied by a DENY policy about %s", async (_, policies) => {
    expect(await answers(policies, "alice")).toEqual(ALLOWED);
  });

  it("is denied by a DENY policy about callers without an identity, as it has none", async () => {
    expect(await answers(deny(from("notNamespaces: [shop]")), "alice")).toEqual(DENIED);
  });

  it("gains nothing from ALLOW policies about that pod", async () => {
    expect(await answers(allow(from("namespaces: [shop]")), "alice")).toEqual(DENIED);
    const both = allow(from("namespaces: [shop]")) + deny(from("namespaces: [ops]"));
    expect(await answers(both, "alice")).toEqual(DENIED);
  });

  it("says nothing where the address is of no pod of the mesh", async () => {
    expect(await answers(deny(from("namespaces: [shop, outside]")), "nobody")).toEqual(ALLOWED);
    expect(await answers(deny(from("namespaces: [shop, outside]")), "stranger")).toEqual(ALLOWED);
  });
});
