import { askAdmin } from "../envoy/admin-client.ts";
import { AmbitError } from "../lib/errors.ts";
import type { AgentStatus } from "../status.ts";

/** What the agent behind an `admin.sock` says of its node. Throws AmbitError `agent-silent`. */
export async function askAgent(socketPath: string): Promise<AgentStatus> {
  try {
    const { status, body } = await askAdmin(socketPath, "/status");
    if (status === 200) return JSON.parse(body) as AgentStatus; // The agent is of this very version, or newer.
    throw new Error(`it answered ${status}: ${body.trim()}`);
  } catch (cause) {
    throw new AmbitError({
      code: "agent-silent",
      kind: "system",
      what: `no agent answers at ${socketPath}`,
      remedy: "see whether it runs, and whether you may open the socket (it is root's)",
      cause,
    });
  }
}
