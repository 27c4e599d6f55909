/**
 * Where one sandbox of this node stands on its way into the mesh and out of it. `node/pod-lifecycle.ts` moves it from one
 * state to the next; docs/glossary.md explains the phases for users.
 */
export type PodState = Outside | Waiting | Guarded | Joining | Captured | Leaving | Left;

export type MeshPhase = PodState["phase"];

/** All phases, in the order in which a pod passes them. */
export const MESH_PHASES: readonly MeshPhase[] = [
  ...(["outside", "waiting", "guarded", "joining", "captured", "leaving", "left"] as const),
];

/** What all states of a pod with the label have. */
interface Labelled {
  /** When the agent first saw the sandbox with the label, in milliseconds since 1970; -Infinity: an earlier agent did. */
  readonly since: number;
  /**
   * PeerAuthentication's STRICT applies: every other node speaks mTLS to the pod, or the grace is over, or the pod has been
   * closed from the start.
   */
  readonly strict: boolean;
}

/**
 * Connections to a pod that is not wholly in the mesh yet. `open`: they reach the application. `held` and `captured`: they
 * reach the proxy alone; where its listener is missing, a held pod drops them, so that clients send again, and a captured one
 * refuses them.
 */
export type Entrance = "open" | "held" | "captured";

/** The pod has no part in the mesh. */
export interface Outside {
  readonly phase: "outside";
}

/** The pod has the label and no certificate, for a moment only. No listener is made for it yet. */
export interface Waiting extends Labelled {
  readonly phase: "waiting";
  readonly inbound: Entrance;
  /** Listeners from an earlier stay in the mesh, with connections that may be open. */
  readonly listeners: PodEffects["listeners"];
}

/**
 * The pod has the label and waits longer for its certificate: policies guard connections to it, in plaintext. Connections
 * that it opens stay outside the mesh.
 */
export interface Guarded extends Labelled {
  readonly phase: "guarded";
  /** `captured`: its inbound listener has stood, or was waited for in vain. */
  readonly inbound: Entrance;
}

/** The pod has its certificate; the proxy has been asked for its listeners, and they do not stand yet. */
export interface Joining extends Labelled {
  readonly phase: "joining";
  /** `captured`: its inbound listener has stood, or was waited for in vain. */
  readonly inbound: Entrance;
  /** Its inbound listener stood before the proxy was asked for the others, and does not tell when those stand. */
  readonly stood: boolean;
  /** When the proxy acknowledged its listeners; undefined: not yet. */
  readonly servedAt: number | undefined;
}

/** Connections to the pod and from it are captured, and the node announces it, so that other nodes speak mTLS to it. */
export interface Captured extends Labelled {
  readonly phase: "captured";
  /** Version of this node's report that names the pod; undefined: not announced yet. */
  readonly announced: number | undefined;
  /** When all other nodes were found to follow that report; undefined: not yet. */
  readonly followedAt: number | undefined;
}

/** The label has gone. Connections to the pod are still captured; the pod takes mTLS and plaintext. */
export interface Leaving {
  readonly phase: "leaving";
  readonly since: number;
  /**
   * `softening`: the proxy learns to take plaintext where the pod was STRICT. `withdrawn`: the node no longer announces
   * the pod, so that other nodes, and callers of this one, speak plaintext to it.
   */
  readonly step: "softening" | "withdrawn";
  /** Connections from the pod: as they were before it began to leave. */
  readonly outbound: "open" | "captured";
  /** When the proxy acknowledged the softened listeners; undefined: not yet. */
  readonly servedAt: number | undefined;
  /** Version of this node's report that no longer names the pod; undefined: not withdrawn yet. */
  readonly withdrawn: number | undefined;
  /** When all other nodes were found to follow that report; undefined: not yet. */
  readonly followedAt: number | undefined;
}

/** The pod is outside again. Its listeners stay for the connections that were open, until the pod ends. */
export interface Left {
  readonly phase: "left";
  /**
   * A pod that never had a certificate has inbound listeners alone: listeners for mTLS would wait for a certificate for
   * ever.
   */
  readonly listeners: "inbound" | "all";
}

/** What a state asks of the proxy, of the kernel, and of the other nodes. */
export interface PodEffects {
  /** Listeners in the pod's network namespace: none, those for connections to the pod, or all. */
  readonly listeners: "none" | "inbound" | "all";
  /** Callers of this node are delivered to inside the pod's network namespace, which is set up for it. */
  readonly delivery: boolean;
  /**
   * Connections to the pod: `open`: they reach the application. `captured`: they reach the proxy alone. Where its listener
   * is missing, they are dropped while the pod joins, so that clients retransmit, and refused later.
   */
  readonly inbound: "open" | "captured";
  /** What becomes of a connection to the captured pod that finds no listener; `open`: the application gets it. */
  readonly missing: "drop" | "refuse" | "open";
  /** Connections from the pod: `captured` ones go to the proxy's outbound listeners. */
  readonly outbound: "open" | "captured";
  /** This node announces the pod, so that other nodes speak mTLS to it. */
  readonly announced: boolean;
  /** PeerAuthentication's STRICT applies: the listeners take no plaintext where it says so. */
  readonly strict: boolean;
}

const NOTHING: PodEffects = {
  listeners: "none",
  delivery: false,
  inbound: "open",
  missing: "drop",
  outbound: "open",
  announced: false,
  strict: false,
};

/** Pure: the effects follow from the state alone, so that they can be put into effect again at any time. */
export function effectsOf(state: PodState): PodEffects {
  switch (state.phase) {
    case "outside":
      return NOTHING;
    case "waiting":
      return { ...NOTHING, ...entrance(state.inbound), listeners: state.listeners, strict: state.strict };
    case "guarded":
      return { ...NOTHING, ...entrance(state.inbound), listeners: "inbound", delivery: true, strict: state.strict };
    case "joining":
      return { ...NOTHING, ...entrance(state.inbound), listeners: "all", delivery: true, strict: state.strict };
    case "captured":
      return { ...CAPTURED, delivery: true, announced: true, strict: state.strict };
    case "leaving": {
      // Callers of this node go on as they did until the listeners take their plaintext.
      const isSoft = state.step === "softening";
      return { ...CAPTURED, outbound: state.outbound, delivery: isSoft, announced: isSoft };
    }
    case "left":
      return { ...NOTHING, listeners: state.listeners };
  }
}

function entrance(inbound: Entrance): Pick<PodEffects, "inbound" | "missing"> {
  return {
    inbound: inbound === "open" ? "open" : "captured",
    missing: inbound === "captured" ? "refuse" : "drop",
  };
}

const CAPTURED: PodEffects = {
  ...NOTHING,
  listeners: "all",
  inbound: "captured",
  missing: "refuse",
  outbound: "captured",
};

/** A pod of this node, as `compile` gets it. */
export interface LocalPodState {
  /** Path of its network namespace. */
  readonly netns: string;
  /** Those addresses of its Pod that its network namespace has. */
  readonly addresses: readonly string[];
  readonly state: PodState;
}
