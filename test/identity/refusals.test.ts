import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeRequest } from "../../agent/identity/x509/certificate-request.ts";
import { makeJoinFile } from "../../agent/identity/authority/join-tokens.ts";
import type { NodeProof } from "../../agent/identity/authority-protocol.ts";
import {
  AUTHORITY_NAME,
  EXCHANGE_PATH,
  REPORT_PATH,
  SIGN_PATH,
  WATCH_PATH,
} from "../../agent/identity/authority-protocol.ts";
import { SYSTEM_CLOCK } from "../../agent/lib/clock.ts";
import { describe as inWords } from "../../agent/lib/errors.ts";
import { API, AuthorityFixture, WEB } from "./authority-fixture.ts";

const { signal } = new AbortController();
let fixture: AuthorityFixture;

beforeAll(async () => {
  fixture = await AuthorityFixture.start(SYSTEM_CLOCK);
});
afterAll(() => fixture.remove());

/** What the authority refuses, in words. */
async function refused(node: string, spiffeId: string, change: Partial<NodeProof> = {}): Promise<string> {
  const client = await fixture.join(node, change);
  const { csrPem: csr } = await makeRequest(spiffeId);
  return await client.sign({ spiffeId, csr }, signal).then(
    () => "signed",
    (error: unknown) => inWords(error),
  );
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function send(file: NodeProof, method: string, path: string, body: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${file.token}`, "x-ambit-node": file.node };
    const { socketPath } = fixture;
    const options = { socketPath, path, method, headers, ca: file.authority, servername: AUTHORITY_NAME, agent: false };
    const call = request(options, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => (text += part.toString("utf8")));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    call.on("error", reject);
    call.end(body);
  });
}

test("a node gets certificates for identities of its own pods, and for no others", async () => {
  expect(await refused("n1", WEB)).toBe("signed");
  const elsewhere = await refused("n1", API);
  expect(elsewhere).toContain(`node 'n1' gets no certificate for ${API}`);
  expect(elsewhere).toContain("why: its pods run on n2");
  expect(elsewhere).toContain("what to do:");
  expect(await refused("n1", "spiffe://cluster.local/ns/shop/sa/nobody")).toContain("no pod of this identity");
  expect(await refused("n1", "spiffe://elsewhere/ns/shop/sa/web")).toContain("no pod of this identity");
  expect(await refused("n1", `${WEB}\n`)).toContain("no pod of this identity");
});

test("a wrong, a replaced and a stolen token are refused, and the hash alone is kept", async () => {
  expect(await refused("n1", WEB, { token: "x" })).toContain("the join token is not that of node 'n1'");
  expect(await refused("n1", API, { node: "n2" })).toContain("the join token is not that of node 'n2'");
  expect(await refused("n1", WEB, { node: "n9" })).toContain("the join token is not that of node 'n9'");
  expect(await refused("n1", WEB, { node: "__proto__" })).toContain("'__proto__'");
  const old = await makeJoinFile(fixture.folder, "n1");
  await makeJoinFile(fixture.folder, "n1");
  expect(await refused("n1", WEB, old)).toContain("it has been replaced");
  const kept = readFileSync(join(fixture.folder, "join-tokens.json"), "utf8");
  const fresh = await makeJoinFile(fixture.folder, "n2");
  expect(kept).not.toContain(fresh.token);
  expect(readFileSync(join(fixture.folder, "join-tokens.json"), "utf8")).toContain(
    createHash("sha256").update(fresh.token).digest("hex"),
  );
});

test("names in the request are not looked at", async () => {
  const client = await fixture.join("n1");
  const { csrPem: csr } = await makeRequest(API);
  const { chain } = await client.sign({ spiffeId: WEB, csr }, signal);
  expect(new X509Certificate(chain).subjectAltName).toBe(`URI:${WEB}`);
  client.close();
});

test("a server that is not the authority gets no token", async () => {
  const other = await AuthorityFixture.start(SYSTEM_CLOCK);
  const { authority } = await makeJoinFile(other.folder, "n1");
  expect(await refused("n1", WEB, { authority })).toMatch(/does not answer[^]*self-signed certificate/u);
  other.remove();
});

test("whatever is sent is answered, and the authority goes on", async () => {
  const node = await makeJoinFile(fixture.folder, "n1");
  const { csrPem: csr } = await makeRequest(WEB);
  const bodies: readonly (readonly [string, number])[] = [
    ["", 400],
    ["{", 400],
    ["null", 400],
    ["[]", 400],
    ["7", 400],
    ['{"spiffeId":7,"csr":{}}', 400],
    [JSON.stringify({ spiffeId: WEB, csr: "junk" }), 400],
    [JSON.stringify({ spiffeId: WEB, csr: csr.replace(/[A-Z]{4}/u, "AAAA") }), 400],
    [JSON.stringify({ spiffeId: WEB, csr: csr.slice(0, 200) }), 400],
    [JSON.stringify({ spiffeId: "__proto__", csr }), 403],
    ["x".repeat(1 << 20), 400],
  ];
  for (const [body, status] of bodies) {
    expect(
      await send(node, "POST", SIGN_PATH, body).then(
        (got) => got.status,
        (error: Error) => error.message,
      ),
    ).toSatisfy((got) => got === status || (body.length > 1e5 && /EPIPE|ECONNRESET/u.test(String(got))));
  }
  for (const body of ["{}", '{"generations":7}', '{"generations":[7]}', '{"generations":[],"trust":7}']) {
    expect((await send(node, "POST", WATCH_PATH, body)).status).toBe(400);
  }
  const reports = [
    "{",
    '{"announced":7}',
    '{"announced":{"version":1.5,"sandboxes":[]}}',
    '{"follows":{"instance":"x"}}',
  ];
  for (const body of [...reports, '{"announced":{"version":1,"sandboxes":[{"uid":7}]}}']) {
    expect((await send(node, "POST", REPORT_PATH, body)).status).toBe(400);
  }
  for (const body of ["{}", '{"followed":-1,"waitingFor":[],"incomplete":[]}', '{"followed":0,"waitingFor":[7]}']) {
    expect((await send(node, "POST", EXCHANGE_PATH, body)).status).toBe(400);
  }
  expect((await send(node, "GET", SIGN_PATH, "")).status).toBe(404);
  expect((await send(node, "POST", "//", "")).status).toBe(404);
  await new Promise((resolve) => {
    const socket = connect(fixture.socketPath, () => socket.write("GET / HTTP/1.1\r\n\r\n"));
    socket.on("error", resolve);
    socket.on("close", resolve);
    socket.resume();
  });
  expect(await refused("n1", WEB)).toBe("signed");
});
