import type { LabPodStatus, PodStatusWord } from "../control/status-protocol.ts";
import { tailOf } from "../machine/log-tail.ts";
import type { Usage } from "../machine/usage.ts";
import type { PolledStatus } from "../nodes/agent-process.ts";
import { describeState } from "./container.ts";
import type { Pod } from "./pod.ts";

/** `wanted`: the labels put the pod into the mesh. `agent`: its agent's last answer. `meshed`: the lab has agents. */
export function podStatus(
  pod: Pod,
  wanted: boolean,
  agent: PolledStatus | undefined,
  meshed: boolean,
  usage: Usage | undefined,
): LabPodStatus {
  const enrolled = agent?.enrolled.has(pod.uid) ?? false;
  const completed = pod.phase === "Succeeded";
  const reason = pod.ready || completed ? "" : explain(pod);
  const pending = meshed && wanted && !enrolled && !completed && !pod.stopping;
  const missing = pending ? (agent?.reasons.get(pod.uid) ?? "its node's agent has not enrolled it yet") : "";
  return {
    namespace: pod.plan.namespace,
    name: pod.plan.name,
    node: pod.node.name,
    uid: pod.uid,
    ip: pod.addresses.ipv4,
    ip6: pod.addresses.ipv6 ?? null,
    netns: pod.netnsPath,
    phase: pod.phase,
    status: statusWord(pod),
    wanted,
    enrolled,
    ready: pod.ready,
    reason: reason || pod.staleVolumes || missing,
    createdAt: pod.createdAt.toISOString(),
    owner: pod.plan.owner ?? null,
    usage: usage ?? null,
    containers: pod.containers.map((container) => ({
      name: container.spec.name,
      pid: container.state.kind === "running" ? container.state.pid : null,
      restarts: container.restarts,
      ready: pod.isReady(container),
      log: container.logFile,
    })),
  };
}

/** kubectl's STATUS: the phase, or what holds the pod up. */
function statusWord(pod: Pod): PodStatusWord {
  if (pod.phase === "Succeeded") return "Completed";
  if (pod.failure !== "") return "Error";
  if (pod.stopping) return "Terminating";
  const init = pod.initProgress;
  if (init !== undefined) return `Init:${init.done}/${init.all}`;
  for (const { state } of pod.containers) if (state.kind === "waiting") return state.reason;
  return pod.phase === "Failed" ? "Error" : pod.phase;
}

function explain(pod: Pod): string {
  if (pod.failure !== "") return pod.failure;
  if (pod.stopping) return "it is being removed";
  const reasons = pod.containers
    .filter((container) => !pod.isReady(container))
    .map((container) => {
      const said = container.state.kind === "running" ? "" : tailOf(container.logFile, 3);
      return `container ${container.spec.name}: ${pod.explain(container)}${said && `; it said: ${said}`}`;
    });
  const init = pod.initProgress;
  if (init !== undefined) {
    const { spec, state } = init.current;
    return `Init ${init.done}/${init.all}: ${spec.name} ${describeState(state) || "runs"}`;
  }
  return reasons.join("; ") || "it is being started";
}
