/**
 * Ports of a pod's outbound listeners inside its network namespace, by the protocol of the connection, as far as it is
 * known.
 */
export const OUTBOUND_PORTS = { http: 15001, tcp: 15002, detect: 15003 } as const;

/** Port of a pod's inbound listener. No client dials it: the sk_lookup program hands connections to it. */
export const INBOUND_PORT = 15006;

/**
 * Port of the inbound listener that waits only briefly for a client's first bytes. A pod has it if one of its servers
 * may speak first.
 */
export const BRIEF_PORT = 15007;

/**
 * Every port that Ambit binds inside a pod. They are reserved there, so that no ephemeral port collides. Append new
 * ports at the end.
 */
export const RESERVED_PORTS: readonly number[] = [...Object.values(OUTBOUND_PORTS), INBOUND_PORT, BRIEF_PORT];

/**
 * SO_MARK of delivery sockets: by it a policy route keeps their answers in the pod's network namespace. The mark grants
 * no right.
 */
export const DELIVERY_MARK = 1338;
