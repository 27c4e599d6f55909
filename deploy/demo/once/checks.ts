import { sent, share, type Bout, type Cast } from "../shop/measures.ts";

/** One expectation of the demo, with the figures that decide it. */
export interface Check {
  readonly name: string;
  readonly passed: boolean;
  readonly expected: string;
  readonly measured: Readonly<Record<string, unknown>>;
}

/** One call in five fails and nothing retries: 80 % by construction. The margin covers calls cut at the start and the end. */
const PLAIN_SHARE = { from: 0.77, to: 0.83 };
/** Three tries that each fail one time in five leave 0.8 % of failures. */
const RETRIED_SHARE = 0.98;

/** The budget of deploy/demo/manifests/inventory-route.yaml. */
export const BUDGET = { percent: 50, intervalSeconds: 10, minPerSecond: 10 } as const;

export function plainSuccess(name: string, { outcome }: Bout): Check {
  const success = share(outcome, 200);
  return {
    name,
    passed: success >= PLAIN_SHARE.from && success <= PLAIN_SHARE.to,
    expected: `${PLAIN_SHARE.from * 100}–${PLAIN_SHARE.to * 100} % of calls succeed`,
    measured: { requests: sent(outcome), successPercent: percent(success), ...trouble(outcome) },
  };
}

export function retriedSuccess({ outcome, reached }: Bout): Check {
  const success = share(outcome, 200);
  return {
    name: "success-enrolled",
    passed: success >= RETRIED_SHARE,
    expected: `at least ${RETRIED_SHARE * 100} % of calls succeed`,
    measured: {
      requests: sent(outcome),
      successPercent: percent(success),
      retries: reached - sent(outcome),
      ...trouble(outcome),
    },
  };
}

export function sameProcesses(before: readonly string[], after: readonly string[]): Check {
  const changed = [
    ...before.filter((process) => !after.includes(process)).map((process) => `gone: ${process}`),
    ...after.filter((process) => !before.includes(process)).map((process) => `new: ${process}`),
  ];
  return {
    name: "processes-unchanged",
    passed: before.length > 0 && changed.length === 0,
    expected: "every container keeps its process and its count of restarts",
    measured: { processes: before.length, changed },
  };
}

/** Every call fails: without a budget each would be tried three times. The calls must begin with a fresh budget interval. */
export function withinBudget({ outcome, reached }: Bout): Check {
  const requests = sent(outcome);
  const retries = reached - requests;
  const allowed = Math.ceil((requests * BUDGET.percent) / 100 + BUDGET.minPerSecond * (outcome.seconds + 1));
  return {
    name: "retries-within-budget",
    passed: retries > 0 && retries <= allowed,
    expected: `some retries, but at most ${BUDGET.percent} % of calls plus ${BUDGET.minPerSecond} a second`,
    measured: { requests, retries, allowed, withoutBudget: requests * 2, seconds: round(outcome.seconds) },
  };
}

/** `reached`: how many of the denied calls the application saw, by its own count. */
export function denied(name: string, { outcome }: Bout, reached: number): Check {
  return {
    name,
    passed: sent(outcome) > 0 && share(outcome, 403) === 1 && reached === 0,
    expected: "every call is answered 403, and none reaches the application",
    measured: { statuses: outcome.statuses, reachedApplication: reached, ...trouble(outcome) },
  };
}

/** The client addresses that the servers saw, on the storefront's node and on the other one. */
export function sourceAddress({ outcome }: Bout, { storefront, inventories }: Cast): Check {
  const seenBy = (near: boolean): readonly string[] =>
    inventories
      .filter((pod) => (pod.node === storefront.node) === near)
      .flatMap((pod) => Object.keys(outcome.peers[pod.ip] ?? {}));
  const [near, far] = [seenBy(true), seenBy(false)];
  const onlyStorefront = (seen: readonly string[]): boolean => seen.length === 1 && seen[0] === storefront.ip;
  return {
    name: "source-address-kept",
    passed: onlyStorefront(near) && onlyStorefront(far),
    expected: "the servers on both nodes see the storefront's own address and no other",
    measured: { storefront: storefront.ip, seenOnItsNode: near, seenOnTheOtherNode: far },
  };
}

/** Calls to the other node arrive by mTLS, under the storefront's identity. Calls within a node need no mTLS. */
export function encrypted({ identities }: Bout, { storefront, inventories }: Cast): Check {
  const shown = (near: boolean): readonly string[] =>
    inventories
      .filter((pod) => (pod.node === storefront.node) === near)
      .flatMap((pod) => Object.keys(identities[pod.ip] ?? {}));
  const [near, far] = [shown(true), shown(false)];
  return {
    name: "encrypted-between-nodes",
    passed: far.length === 1 && far[0] === STOREFRONT_ID && near.every((identity) => identity === "none"),
    expected: "the server on the other node receives mTLS only, under the storefront's identity",
    measured: { onTheOtherNode: far, onItsNode: near },
  };
}

const STOREFRONT_ID = "spiffe://cluster.local/ns/shop/sa/storefront";

function percent(fraction: number): number {
  return Math.round(fraction * 1000) / 10;
}

function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}

/** Unexpected statuses with some answers, so that a failed check shows the reason. */
function trouble(outcome: Bout["outcome"]): Readonly<Record<string, unknown>> {
  const expected = new Set(["200", "503", "403"]);
  const odd = Object.keys(outcome.statuses).filter((status) => !expected.has(status));
  return odd.length === 0 ? {} : { statuses: outcome.statuses, samples: outcome.samples };
}
