import type { PodEffects, MeshPhase } from "./pod-state.ts";
import type { Sandbox } from "./sandbox.ts";

/** What the kernel has to do for one sandbox of this node. */
export interface KernelPod {
  readonly sandbox: Sandbox;
  readonly addresses: readonly string[];
  /** Ports on which the kubelet's declared probes reach the application directly. */
  readonly probePorts: readonly number[];
  /** Kept in the kernel, so that the agent after this one knows where the pod stands. */
  readonly phase: MeshPhase;
  readonly effects: PodEffects;
  /** Where the kernel cannot capture connections to the pod: they are refused, or reach the application. */
  readonly otherwise: "refuse" | "open";
}

/** A sandbox of which the kernel knows from an earlier agent. */
export interface KnownSandbox {
  readonly sandbox: Sandbox;
  readonly phase: MeshPhase;
  /** What the kernel does with connections to it. */
  readonly inbound: PodEffects["inbound"];
}
