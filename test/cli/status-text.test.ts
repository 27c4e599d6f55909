import { expect, it } from "vitest";
import { problemTable } from "../../agent/cli/problem-table.ts";
import { statusText } from "../../agent/cli/status-text.ts";
import type { AgentStatus } from "../../agent/node/agent-status.ts";
import { WITHOUT_AUTHORITY } from "../../agent/policy/needs-authority.ts";

const STATUS: AgentStatus = {
  node: "node-1",
  ready: false,
  agentPid: 1,
  envoy: {
    pid: undefined,
    version: "1.40.0",
    ready: false,
    restarts: 3,
    trouble: {
      since: "2026-01-01T00:00:00.000Z",
      what: "Envoy ended by SIGSEGV right after its start, 3 times in a row; the agent starts another",
      said: "[critical] no such thing as luck",
      remedy: "read /state/envoy.log",
    },
  },
  pods: [],
  problems: [],
  certificates: {
    roots: [],
    authorityTrouble: "the authority at unix:/a does not answer",
    identities: [
      { spiffeId: "spiffe://d/ns/a/sa/a", nextRequest: "", waiting: "no pod of it" },
      { spiffeId: "spiffe://d/ns/a/sa/b", nextRequest: "", notAfter: "2026-01-02T00:00:00.000Z", expired: true },
      { spiffeId: "spiffe://d/ns/a/sa/c", nextRequest: "", notAfter: "2027-01-02T00:00:00.000Z", lastError: "busy" },
      { spiffeId: "spiffe://d/ns/a/sa/d", nextRequest: "", notAfter: "2027-01-02T00:00:00.000Z" },
    ],
  },
  xds: {
    connected: false,
    nacks: [{ kind: "listeners", name: "in", version: "2", message: "malformed", time: "2026-01-01T00:00:01.000Z" }],
  },
};

it("tells what ails an Envoy, its last words, what to do, and since when it refuses what", () => {
  expect(statusText([STATUS])).toContain(`
The Envoy of node-1, since 2026-01-01T00:00:00.000Z
  Envoy ended by SIGSEGV right after its start, 3 times in a row; the agent starts another
  it said last: [critical] no such thing as luck
  what to do: read /state/envoy.log

Refused by the Envoy of node-1
  2026-01-01T00:00:01.000Z listeners in: malformed
  Envoy keeps the last version that it accepted`);
});

it("tells which certificates are missing, have expired or are not renewed, and of no others", () => {
  expect(statusText([STATUS])).toContain(`
Certificates of node-1
  the authority signs no new ones: the authority at unix:/a does not answer
  spiffe://d/ns/a/sa/a has none yet: no pod of it
  spiffe://d/ns/a/sa/b expired at 2026-01-02T00:00:00.000Z: a new one is on its way
  spiffe://d/ns/a/sa/c, valid until 2027-01-02T00:00:00.000Z, is not renewed: busy`);
  expect(statusText([STATUS])).not.toContain("spiffe://d/ns/a/sa/d");
});

it("tells why an agent does not answer, and what to do", () => {
  const error = "no agent answers at /a\n  why: nobody is there";
  const text = statusText([{ node: "node-2", ready: false, error }]);
  expect(text).toMatch(/^node-2 +no +does not answer/mu);
  expect(text).toContain("The agent of node-2\n  no agent answers at /a\n    why: nobody is there");
});

it("tells what follows where agents have no authority, once for all of them", () => {
  const { certificates: _, ...alone } = { ...STATUS, withoutAuthority: WITHOUT_AUTHORITY };
  const text = statusText([alone, { ...alone, node: "node-2" }]);
  expect(text).toContain(`
No authority: node-1, node-2
  pods have no certificates
  calls between nodes are plaintext`);
  expect(text.match(/No authority/gu)).toHaveLength(1);
  expect(statusText([STATUS])).not.toContain("No authority");
});

it("tells the phase of each pod", () => {
  const pods = [
    { namespace: "shop", name: "web", uid: "1", enrolled: true, phase: "captured" },
    { namespace: "shop", name: "api", uid: "2", enrolled: false, phase: "guarded", reason: "no certificate" },
  ] as const;
  const text = statusText([{ ...STATUS, pods }]);
  expect(text).toMatch(/^ +node-1 +shop\/web +captured +yes$/mu);
  expect(text).toMatch(/^ +node-1 +shop\/api +guarded +no: no certificate$/mu);
});

it("tells which nodes a node does not hear from, and what waits for that", () => {
  const heard = { node: "node-2", lastHeard: "2026-01-01T00:00:00.000Z" };
  const trouble = "the authority at unix:/a does not answer";
  const text = statusText([{ ...STATUS, exchange: { trouble, waitingFor: [heard] } }]);
  expect(text).toContain("Exchange of node-1 with other nodes");
  expect(text).toContain(`it hears nothing of other nodes: ${trouble}`);
  expect(text).toContain("node-2 does not follow yet; the authority last heard from it at 2026-01-01T00:00:00.000Z");
  expect(statusText([{ ...STATUS, exchange: { waitingFor: [] } }])).not.toContain("Exchange of");
});

it("obeys no control character of a tenant, and lets none of its texts begin a line", () => {
  const ESCAPES = "\u001b[2J\u009b31m\u202e\nerror: all is lost";
  const problem = {
    severity: "error",
    code: "invalid-name",
    origin: `/m/${ESCAPES}.yaml:1`,
    object: `Pod shop/${ESCAPES}`,
    field: "metadata.name",
    reason: ESCAPES,
    remedy: ESCAPES,
  } as const;
  const text = statusText([
    {
      ...STATUS,
      pods: [{ namespace: "shop", name: "a", uid: "u", enrolled: false, phase: "outside", reason: ESCAPES }],
      problems: [problem],
    },
  ]);
  expect(text).toContain("Pod shop/\u{fffd}[2J\u{fffd}31m\u{fffd}error: all is lost metadata.name");
  expect(text).not.toMatch(/[^\P{Cc}\n]|^\s*error: all/mu);
  expect(problemTable([problem])).not.toMatch(/[^\P{Cc}\n]|^\s*error: all/mu);
});
