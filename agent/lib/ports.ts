/** Where a pod's outbound connections are sent inside its network namespace, by what is known of their bytes. */
export const OUTBOUND_PORTS = { http: 15001, tcp: 15002, detect: 15003 } as const;

/** The listener for what arrives at a pod. Nobody dials it: sk_lookup hands connections to it. */
export const INBOUND_PORT = 15006;

/** The one that does not wait long for a client's first bytes; a pod has it where a server of its own may speak first. */
export const BRIEF_PORT = 15007;

/** Every port that Ambit binds inside a pod; reserved there, so that no ephemeral port collides. New ones go to the end. */
export const RESERVED_PORTS: readonly number[] = [...Object.values(OUTBOUND_PORTS), INBOUND_PORT, BRIEF_PORT];

/** SO_MARK of delivery sockets, so that a policy route brings their answers back to the pod's own netns. Grants nothing. */
export const DELIVERY_MARK = 1338;
