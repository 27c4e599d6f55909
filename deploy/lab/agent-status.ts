import { askUnix } from "../../agent/lib/unix-http.ts";
import type { Problem } from "../../agent/model/problem.ts";

/** What the lab reads of an agent's `GET /status`. */
export interface AgentStatus {
  readonly ready: boolean;
  readonly envoyPid: number | undefined;
  /** UIDs of enrolled pods. */
  readonly enrolled: ReadonlySet<string>;
  /** Why a pod is not enrolled, by UID. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
  /** What is wrong with its proxy; "" if nothing is. */
  readonly trouble: string;
}

const TIMEOUT_MS = 2_000;

/** undefined while the agent does not answer. */
export async function readAgentStatus(socket: string): Promise<AgentStatus | undefined> {
  try {
    const { status, body } = await askUnix(socket, "/status", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return status === 200 ? parse(JSON.parse(body)) : undefined;
  } catch {
    return undefined;
  }
}

interface WireStatus {
  readonly ready?: boolean;
  readonly envoy?: { readonly pid?: number; readonly trouble?: { readonly what: string; readonly said: string } };
  readonly pods?: readonly { readonly uid: string; readonly enrolled: boolean; readonly reason?: string }[];
  readonly problems?: readonly Problem[];
}

function parse(value: unknown): AgentStatus {
  const status = value as WireStatus;
  const pods = status.pods ?? [];
  return {
    ready: status.ready ?? false,
    envoyPid: status.envoy?.pid,
    enrolled: new Set(pods.filter(({ enrolled }) => enrolled).map(({ uid }) => uid)),
    reasons: new Map(pods.flatMap(({ uid, reason }) => (reason === undefined ? [] : [[uid, reason] as const]))),
    problems: status.problems ?? [],
    trouble: [status.envoy?.trouble?.what, status.envoy?.trouble?.said].filter(Boolean).join(": "),
  };
}
