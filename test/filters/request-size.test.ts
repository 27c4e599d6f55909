import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { exec } from "../../agent/lib/exec.ts";
import type { PlaceConfig } from "../../agent/compile/filters/filter-extensions.ts";
import type { PolicyCondition } from "../../agent/model/authorization-policy.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { CHAIN, EMPTY, operation, peer } from "./chain.ts";

// A stranger chooses the size of a request. What the filters do about it grows as the request does, and they keep none of it.

const folder = mkdtempSync(join(tmpdir(), "ambit-size-"));
/** The nodes' module, with a call of the host at each call, return and turn of a loop. */
const counted = join(folder, "counted.wasm");

beforeAll(async () => {
  const optimiser = join(import.meta.dirname, "../../node_modules/binaryen/bin/wasm-opt");
  await exec(process.execPath, [optimiser, "--all-features", "--log-execution=env", CHAIN, "-o", counted]);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const header = (index: number): PolicyCondition => ({
  attribute: "request.headers",
  path: [index % 2 === 0 ? "x-many" : `x-${index}`],
  values: [],
  notValues: ["secret", "*x"],
});
const PATHS = operation({ notPaths: ["/admin", "/{*}/b/{**}/c", "*z", "/a*"] });
const CONFIG: PlaceConfig = {
  ...EMPTY,
  policySets: [
    {
      id: "set",
      policies: ["shop/one", "shop/two"].map((name) => ({
        ...{ name, action: "ALLOW", dryRun: false, alwaysDeny: false },
        rules: Array.from({ length: 20 }, (_, index) => ({
          from: [],
          to: [PATHS],
          when: [header(index), { ...header(0), values: ["never"], notValues: [] }],
        })),
      })),
      jwtRules: ["issuer"],
    },
  ],
  jwtRules: [
    {
      id: "issuer",
      issuer: "https://issuer",
      audiences: ["us"],
      fromHeaders: [
        { name: "authorization", prefix: "Bearer " },
        { name: "x-token", prefix: "" },
      ],
      fromParams: ["token", "access_token"],
      fromCookies: ["token", "session"],
      outputPayloadToHeader: "x-payload",
      outputClaimToHeaders: [{ header: "x-claim", claim: "a.b" }],
      forwardOriginalToken: false,
      spaceDelimitedClaims: [],
      keys: [],
    },
  ],
  clusters: [{ name: "guarded", policySet: "set", port: 8080 }],
};

type Headers = readonly (readonly [name: string, value: string])[];

/** Text of about that many bytes. */
const fill = (text: string, size: number): string => text.repeat(Math.ceil(size / text.length));
const path = (value: string): Headers => [[":path", value]];
const withHeaders = (...headers: Headers): Headers => [[":path", "/"], ...headers];
const many = (size: number, of: (index: number) => readonly [string, string]): Headers =>
  withHeaders(...Array.from({ length: size / 60 }, (_, index) => of(index)));
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (claims: unknown): string => `${base64({ alg: "RS256" })}.${base64(claims)}.c2ln`;

const REQUESTS: Readonly<Record<string, (size: number) => Headers>> = {
  "a path that ends in a dot": (size) => path(`/${fill("a", size)}/.`),
  "a path of dots": (size) => path(fill("/a/..", size)),
  "a path that climbs at its end": (size) => path(`${fill("/a", size / 2)}${fill("/..", size / 2)}`),
  "a path of slashes": (size) => path(fill("/", size)),
  "a path of escapes": (size) => path(`/${fill("%61%2f", size)}`),
  "a path outside ASCII": (size) => path(`/${fill("é", size)}`),
  "a path of segments": (size) => path(fill("/b", size)),
  "a path with a long query": (size) => path(`/.?${fill("/../", size)}`),
  "a query of parameters": (size) => path(`/?${fill("a&", size)}`),
  "a query of escaped parameters": (size) => path(`/?${fill("%61=+&", size)}`),
  "a query of tokens": (size) => path(`/?${fill("token=a%2e&", size)}`),
  "equal headers": (size) => many(size, () => ["x-many", "a".repeat(40)]),
  "empty headers": (size) => many(size, () => ["x-many", ""]),
  "different headers": (size) => many(size, (index) => [`x-other-${index}`, "b"]),
  "headers that only a token may fill": (size) => many(size, () => ["x-payload", "b"]),
  cookies: (size) => withHeaders(["cookie", fill("a=b; ", size)]),
  "cookies that are tokens": (size) => withHeaders(["cookie", fill("token=b;", size)]),
  "headers of cookies": (size) => many(size, () => ["cookie", "session=a; b=c"]),
  "another scheme, and commas": (size) => withHeaders(["authorization", `Basic ${fill(", ", size)}`]),
  "many headers of tokens": (size) => many(size, () => ["authorization", "Bearer a.b.c"]),
  "a token of dots": (size) => withHeaders(["authorization", `Bearer ${fill(".", size / 4)}`]),
  "a token of one text": (size) => withHeaders(["authorization", `Bearer ${token({ iss: fill("é", size / 8) })}`]),
  "a token of lists": (size) => withHeaders(["x-token", token({ iss: fill("[0],", size / 8).split(",") })]),
  "a certificate of a caller": (size) => withHeaders(["x-forwarded-client-cert", fill("By=a;URI=b,", size)]),
};

function host(module: string): WasmHost {
  const wasm = new WasmHost(module);
  expect(wasm.configure("outbound", CONFIG)).toBe(true);
  return wasm;
}

function send(wasm: WasmHost, headers: Headers): () => void {
  const stream = wasm.request({
    headers: [[":method", "GET"], [":authority", "web"], ...headers],
    properties: { "xds/cluster_name": "guarded", "filter_state/ambit.source": peer("alice") },
  });
  return () => wasm.end(stream, { "response/code": 200, "response/flags": 0 });
}

const SIZE = 24_000;

it.each(Object.entries(REQUESTS))("%s: twice the size is at most twice the work", (_, request) => {
  const wasm = host(counted);
  send(wasm, request(100))();
  const work = (size: number): number => {
    const before = wasm.steps;
    send(wasm, request(size))();
    return wasm.steps - before;
  };
  const one = work(SIZE);
  const two = work(2 * SIZE);
  expect(one).toBeGreaterThan(0);
  expect(two).toBeLessThan(2.5 * one + 2_000);
  // For each byte. A path outside ASCII becomes three times as long, and 40 rules look at it.
  expect(two / (2 * SIZE)).toBeLessThan(300);
});

it.each(Object.entries(REQUESTS))("%s: nothing of it stays in memory", (_, request) => {
  const wasm = host(CHAIN);
  const before = wasm.memory.size;
  // Requests that no application has answered yet.
  for (let i = 0; i < 200; i++) send(wasm, request(2 * SIZE));
  expect(wasm.memory.size - before).toBeLessThan(12 << 20);
});
