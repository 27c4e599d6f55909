import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KeySets, type KeySetOptions } from "../../agent/jwks/key-sets.ts";
import { createLogger } from "../../agent/lib/log.ts";
import type { Mesh } from "../../agent/model/mesh.ts";
import { Issuer, keySet } from "../jwt/issuer.ts";
import { meshOf } from "../sources/manifests.ts";
import { KeyServer } from "./key-server.ts";

const URI = "http://keys.example/keys.json";
const first = new Issuer("ES256", "first");
const second = new Issuer("RS256", "second");

const authentication = (rule: string): string =>
  `{ apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: { name: t, namespace: shop }, spec: { jwtRules: [${rule}] } }`;
const asked = (timeout: string): string => authentication(`{ issuer: x, jwksUri: "${URI}", timeout: ${timeout} }`);
/** Longer than this process, in which the server is, too, may be held up. */
const uri = asked("30s");

describe("key sets that are fetched", () => {
  const folder = mkdtempSync(join(tmpdir(), "ambit-keys-"));
  let server: KeyServer;
  let sets: KeySets;
  let changed = (): void => undefined;

  const open = (options: Partial<KeySetOptions> = {}): KeySets =>
    new KeySets({
      file: join(folder, "keys.json"),
      log: createLogger("test", "silent"),
      resolve: () => Promise.resolve([{ address: "127.0.0.1", port: server.port }]),
      onChange: () => changed(),
      refreshMs: 60_000,
      retryMs: 5,
      longestRetryMs: 5,
      ...options,
    });
  const state = (url = URI): unknown => {
    const found = sets.fetched.get(url);
    return found === undefined ? undefined : [found.keys.map(({ kid }) => kid), found.failure];
  };
  /** Follows the mesh, and waits until the state is one that holds. */
  const until = async (holds: (value: unknown) => boolean, mesh?: Mesh): Promise<unknown> => {
    const settled = new Promise<void>((resolve) => {
      changed = () => {
        if (holds(state(sets.fetched.keys().next().value))) resolve();
      };
    });
    if (mesh !== undefined) sets.follow(mesh);
    await settled;
    return state(sets.fetched.keys().next().value);
  };
  const any = (): boolean => true;
  const failed = (value: unknown): boolean => Array.isArray(value) && value[1] !== undefined;

  beforeEach(async () => {
    server = new KeyServer((_, response) => response.end(keySet(first)));
    await server.listen();
    sets = open();
  });
  afterEach(async () => {
    sets.close();
    await server.close();
    rmSync(join(folder, "keys.json"), { force: true });
  });

  it("are there without anybody having waited for them", async () => {
    const mesh = await meshOf(uri);
    const ready = until(any, mesh);
    expect(state()).toEqual([[], undefined]);
    expect(await ready).toEqual([["first"], undefined]);
  });

  it("are asked for again, so that new keys are known and old ones go", async () => {
    sets = open({ refreshMs: 5 });
    await until(any, await meshOf(uri));
    server.answer = (_, response) => response.end(keySet(second));
    expect(await until((value) => JSON.stringify(value).includes("second"))).toEqual([["second"], undefined]);
  });

  it("stay while the server fails, and the reason is told", async () => {
    sets = open({ refreshMs: 5 });
    await until(any, await meshOf(uri));
    server.answer = (_, response) => response.writeHead(503).end();
    expect(await until(failed)).toEqual([["first"], "the server answers 503"]);
    server.answer = (_, response) => response.end(keySet(second));
    expect(await until((value) => !failed(value))).toEqual([["second"], undefined]);
  });

  it("are known to the next agent, also where the server is gone", async () => {
    const mesh = await meshOf(uri);
    await until(any, mesh);
    sets.close();
    sets = open({ resolve: () => Promise.reject(new Error("gone")) });
    sets.follow(mesh);
    expect(state()).toEqual([["first"], undefined]);
    expect(await until(failed)).toEqual([["first"], "gone"]);
  });

  for (const [clusterIP, host, podIP] of [
    ["10.96.0.9", "10.96.0.9", "10.0.0.7"],
    ["fd00::9", "[fd00::9]", "fd00:1::7"],
  ] as const) {
    it(`are asked for at once when their server at ${host} comes up`, async () => {
      const pod = (ready: string): Promise<Mesh> =>
        meshOf(`
${authentication(`{ issuer: x, jwksUri: "http://${host}/keys.json" }`)}
---
apiVersion: v1
kind: Service
metadata: { name: keys, namespace: shop }
spec: { clusterIP: "${clusterIP}", selector: { app: keys }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: keys, namespace: shop, labels: { app: keys } }
spec: { nodeName: node-1, containers: [] }
status: { phase: Running, podIPs: [{ ip: "${podIP}" }], conditions: [{ type: Ready, status: "${ready}" }] }
`);
      sets = open({ retryMs: 60_000, longestRetryMs: 60_000 });
      server.answer = (_, response) => response.writeHead(503).end();
      await until(failed, await pod("False"));
      server.answer = (_, response) => response.end(keySet(first));
      expect(await until((value) => !failed(value), await pod("True"))).toEqual([["first"], undefined]);
    });
  }

  it("are found by discovery", async () => {
    server.answer = ({ url }, response) =>
      response.end(
        url === "/tenant/.well-known/openid-configuration" ? `{"jwks_uri":"http://keys.example/k"}` : keySet(second),
      );
    expect(await until(any, await meshOf(authentication("{ issuer: 'http://keys.example/tenant' }")))).toEqual([
      ["second"],
      undefined,
    ]);
  });

  it("are forgotten with what named them", async () => {
    await until(any, await meshOf(uri));
    sets.follow(await meshOf(authentication(`{ issuer: x, jwks: '${keySet(first)}' }`)));
    expect(sets.fetched.size).toBe(0);
  });

  const bad: Readonly<Record<string, readonly [answer: KeyServer["answer"], reason: RegExp, manifest?: string]>> = {
    "does not answer": [() => undefined, /^no answer within 200 ms$/u, asked("200ms")],
    "begins to answer": [(_, response) => void response.write("{"), /^no answer within 200 ms$/u, asked("200ms")],
    "answers without end": [
      (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write("x".repeat(65_536)));
        };
        response.on("drain", more);
        more();
      },
      /larger than 512 kB/u,
    ],
    "answers no JSON": [
      (_, response) => response.end("password=secret"),
      /^the answer is not a JSON Web Key Set: it is no JSON$/u,
    ],
    "has no key": [(_, response) => response.end('{"keys":[]}'), /no key of the set can be used/u],
    "has a key that is none": [(_, response) => response.end('{"keys":[{"kty":"OKP"}]}'), /keys\[0\] is neither/u],
    "redirects in a circle": [(_, response) => response.writeHead(302, { location: "/x" }).end(), /more than 3/u],
    "redirects to a file": [(_, response) => response.writeHead(302, { location: "file:///etc" }).end(), /redirects/u],
    "hangs up": [({ socket }) => void socket.destroy(), /hang up|ECONNRESET/u],
  };
  for (const [what, [answer, reason, manifest = uri]] of Object.entries(bad)) {
    it(`a server that ${what} is told of, and asked again`, async () => {
      server.answer = answer;
      const [keys, failure] = (await until(failed, await meshOf(manifest))) as readonly [readonly string[], string];
      expect(keys).toEqual([]);
      expect(failure).toMatch(reason);
      expect(failure).not.toContain("secret");
      server.answer = (_, response) => response.end(keySet(first));
      expect(await until((value) => !failed(value))).toEqual([["first"], undefined]);
    });
  }
});
