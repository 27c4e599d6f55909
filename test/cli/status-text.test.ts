import { expect, it } from "vitest";
import { statusText } from "../../agent/cli/status-text.ts";
import type { AgentStatus } from "../../agent/status.ts";

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
      what: "Envoy ended by SIGSEGV right after its start, 3 times in a row; another is started",
      said: "[critical] no such thing as luck",
      remedy: "read /state/envoy.log",
    },
  },
  pods: [],
  problems: [],
  xds: {
    connected: false,
    nacks: [{ kind: "listeners", name: "in", version: "2", message: "malformed", time: "2026-01-01T00:00:01.000Z" }],
  },
};

it("tells what ails an Envoy, its last words, what to do, and since when it refuses what", () => {
  expect(statusText([STATUS])).toContain(`
The Envoy of node-1, since 2026-01-01T00:00:00.000Z
  Envoy ended by SIGSEGV right after its start, 3 times in a row; another is started
  it said last: [critical] no such thing as luck
  what to do: read /state/envoy.log

Refused by the Envoy of node-1
  2026-01-01T00:00:01.000Z listeners in: malformed
  It goes on`);
});
