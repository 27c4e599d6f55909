import { createHash } from "node:crypto";
import { compareText } from "../../lib/compare.ts";
import type { AuthorizationPolicy, PolicyCondition, PolicyRule } from "../../model/authorization-policy.ts";
import type { Workload } from "../../model/workload.ts";
import { applicablePolicies, decides } from "../policy/applicable.ts";
import { l4Policy, type L4Policy } from "../policy/l4-policy.ts";
import type { Problem } from "../../model/problem.ts";
import type { Destination, ServiceTarget } from "../view/destinations.ts";
import type { NodeView } from "../view/node-view.ts";
import type { CompileOptions } from "../view/options.ts";
import { boundSets, type WrittenSet } from "./bound-sets.ts";
import { changedRequests } from "./changed-requests.ts";
import type { FilterJwtRule, FilterPolicy, FilterPolicySet } from "./filter-config.ts";
import { tooOften } from "./too-often.ts";
import { jwtRules, type WorkloadTokens } from "./jwt-rules.ts";

/**
 * Which policies guard which workload. The id of a set joins the names of its objects, so it is stable, and readable in
 * a dump.
 */
export interface PolicySets {
  /** The set of a workload; undefined: no policies and no rules for tokens apply to it. */
  setOf(workload: Workload | undefined): string | undefined;
  /** The set, if it can refuse a connection: AUDIT and dry-run policies only report, and only HTTP carries tokens. */
  decidingSetOf(workload: Workload | undefined): string | undefined;
  /**
   * `uniform`: all backends share one set and one port, and the caller's pass sees what they will receive; `mixed`: the
   * destination's own pass has to decide; `none`: none has a set.
   */
  guardOf(target: Pick<ServiceTarget, "cluster" | "backends">): TargetGuard;
  readonly sets: readonly FilterPolicySet[];
  /** The same sets for connections whose bytes are not read. */
  readonly tcpSets: readonly FilterPolicySet[];
  readonly jwtRules: readonly FilterJwtRule[];
  /** Which sets are too large together, so that they deny every call. */
  readonly problems: readonly Problem[];
}

type Scope = Pick<CompileOptions, "rootNamespace" | "trustDomain" | "fetchedKeys">;

export type TargetGuard =
  | { readonly kind: "none" }
  | { readonly kind: "uniform"; readonly policySet: string; readonly port: number }
  | { readonly kind: "mixed" };

export function policySets(
  view: NodeView,
  targets: readonly ServiceTarget[],
  dialled: readonly Destination[],
  scope: Scope,
): PolicySets {
  const byUid = new Map<string, string>();
  const written = new Map<string, WrittenSet>();
  // One policy may be in very many sets.
  const httpPolicy = once(filterPolicy);
  const tcpPolicy = once((policy: AuthorizationPolicy) => filterPolicy(l4Policy(policy)));
  const deciding = new Set<string>();
  const alone = new Set<string>();
  const policiesOf = applicablePolicies(view.mesh, scope);
  const authentications = jwtRules(view.mesh, scope);
  const changed = changedRequests(view);
  // A pod of this node that leaves is still captured, and its policies hold as long.
  const leaving = new Set(
    view.knownPods.flatMap(({ workload, state }) => (state.phase === "leaving" ? [workload] : [])),
  );
  for (const workload of view.mesh.workloads) {
    // Only enrolled pods can be captured, so policies apply to them alone.
    if ((!workload.enrolled && !leaving.has(workload)) || workload.terminated) continue;
    const policies = policiesOf(workload);
    const tokens = authentications.of(workload);
    if (policies.length === 0 && tokens.names.length === 0) continue;
    const id = setId([...policies.map(policyName), ...tokens.names.map((name) => `jwt:${name}`)]);
    byUid.set(workload.uid, id);
    if (written.has(id)) continue;
    const own = policies.find(({ meta }) => meta.namespace === workload.meta.namespace);
    written.set(id, {
      id,
      // A set of the root namespace alone guards pods of several namespaces.
      namespace: own !== undefined || tokens.names.length > 0 ? workload.meta.namespace : scope.rootNamespace,
      subject: own?.meta ?? policies[0]?.meta ?? tokens.subject,
      set: setFrom(id, policies.map(httpPolicy), tokens),
      tcpSet: setFrom(id, policies.filter(decides).map(tcpPolicy), { ...tokens, rules: [] }),
    });
    if (policies.some(decides) || tokens.refused.length > 0) deciding.add(id);
    if (policies.some(asksWhatOnlyTheDestinationKnows)) alone.add(id);
  }
  const { sets, tcpSets, refused, problems } = boundSets([...written.values()], authentications.rules);
  for (const id of refused) deciding.add(id);
  const setOf = (workload: Workload | undefined): string | undefined =>
    workload === undefined ? undefined : byUid.get(workload.uid);
  // The caller's side does not know those; the destination's own pass has to decide.
  if (sets.size > 0) for (const id of tooOften(written, setOf, targets, dialled)) alone.add(id);
  return {
    setOf,
    decidingSetOf(workload) {
      const id = setOf(workload);
      return id !== undefined && deciding.has(id) ? id : undefined;
    },
    guardOf(target) {
      // Without sets the backends need not be computed.
      if (sets.size === 0) return { kind: "none" };
      const { backends, cluster } = target;
      const [first, ...rest] = backends;
      if (first === undefined) return { kind: "none" };
      const policySet = setOf(first.workload);
      if (rest.some((other) => setOf(other.workload) !== policySet)) return { kind: "mixed" };
      if (policySet === undefined) return { kind: "none" };
      if (alone.has(policySet)) return { kind: "mixed" };
      // The router changes headers after the filters of the caller's pass.
      if (changed.has(cluster)) return { kind: "mixed" };
      // The filter that removes a token must be the last one that reads it, wherever the pods are: the destination's own.
      if (sets.get(policySet)?.jwtRules.some(authentications.takesAway) === true) return { kind: "mixed" };
      return rest.some((other) => other.port !== first.port)
        ? { kind: "mixed" }
        : { kind: "uniform", policySet, port: first.port };
    },
    sets: [...sets.values()].toSorted(byId),
    tcpSets: tcpSets.toSorted(byId),
    problems,
    jwtRules: authentications.rules,
  };
}

function byId(a: FilterPolicySet, b: FilterPolicySet): number {
  return compareText(a.id, b.id);
}

type DecidedPolicy = AuthorizationPolicy | L4Policy;

function setFrom(id: string, policies: readonly FilterPolicy[], tokens: WorkloadTokens): FilterPolicySet {
  return { id, policies: [...tokens.refused.map(refusal), ...policies], jwtRules: tokens.rules };
}

function once<T, R>(make: (from: T) => R): (from: T) => R {
  const made = new Map<T, R>();
  return (from) => {
    const known = made.get(from);
    if (known !== undefined) return known;
    const result = make(from);
    made.set(from, result);
    return result;
  };
}

/** The id of a set joins the names of its objects as far as there is room: each destination that the set guards bears it. */
function setId(names: readonly string[]): string {
  const all = names.join(",");
  if (all.length <= MAX_ID) return all;
  const hash = createHash("sha256").update(all).digest("hex").slice(0, 32);
  return `${all.slice(0, MAX_ID - hash.length - 1)}#${hash}`;
}

const MAX_ID = 160;

/** An object that could not be read stands among the policies and denies every call. */
function refusal(name: string): FilterPolicy {
  return { name, action: "DENY", dryRun: false, alwaysDeny: true, rules: [] };
}

/** Only the destination's own listener knows at which of its addresses a call arrived, and writes the caller's certificate. */
function asksWhatOnlyTheDestinationKnows({ rules }: AuthorizationPolicy): boolean {
  return rules.some(({ when }) =>
    when.some(
      ({ attribute, path }) =>
        attribute === "destination.ip" || (attribute === "request.headers" && path[0] === "x-forwarded-client-cert"),
    ),
  );
}

function policyName(policy: DecidedPolicy): string {
  return `${policy.meta.namespace}/${policy.meta.name}`;
}

function filterPolicy(policy: DecidedPolicy): FilterPolicy {
  const { action, dryRun, alwaysDeny } = policy;
  return { name: policyName(policy), action, dryRun, alwaysDeny, rules: policy.rules.map(filterRule) };
}

// Exactly the fields that the filters read.

function filterRule({ from, to, when }: PolicyRule): PolicyRule {
  return { from: from.map(filterConditions), to: to.map(filterConditions), when: filterConditions(when) };
}

function filterConditions(conditions: readonly PolicyCondition[]): readonly PolicyCondition[] {
  return conditions.map(({ attribute, path, values, notValues }) => ({ attribute, path, values, notValues }));
}
