/** Who calls: pods of `world.ts`. `stranger` is outside the mesh. */
export type Caller = "alice" | "bob" | "carol" | "stranger";

export interface CaseCall {
  /** Default alice, whose service account is `shop/alice`. Carol's is `ops/alice`. */
  readonly from?: Caller;
  readonly method?: string;
  readonly path?: string;
  /** Default `web.shop`. */
  readonly host?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Of a token that the request carries, and that is in order. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Default http. TCP calls go to port 9000. */
  readonly protocol?: "tcp";
  /** By the pod's own address and port, past its Service. */
  readonly direct?: boolean;
}

export interface AuthzCase {
  readonly name: string;
  /**
   * AuthorizationPolicies as YAML documents. They guard the pod `web` of the namespace `shop`, by label or Service of that
   * name or by namespace alone. `$alice` and so on stand for the callers' addresses, `$web` for the pod's own.
   */
  readonly policies: string;
  readonly call: CaseCall;
  readonly verdict: "allowed" | "denied" | "malformed";
}

type Row = readonly [name: string, policies: string, call: CaseCall, verdict: AuthzCase["verdict"]];

export function cases(...rows: readonly Row[]): readonly AuthzCase[] {
  return rows.map(([name, policies, call, verdict]) => ({ name, policies, call, verdict }));
}

/** In YAML's flow style: further metadata, and what stands in the place of the selector. */
export interface PolicyMore {
  readonly name?: string;
  readonly namespace?: string;
  readonly metadata?: string;
  readonly spec?: string;
}

const WEB = "selector: { matchLabels: { app: web } }";

function policy(
  action: string,
  rules: string,
  { name, namespace = "shop", metadata = "", spec = WEB }: PolicyMore,
): string {
  const meta = `{ name: ${name ?? action.toLowerCase()}, namespace: ${namespace}${metadata && `, ${metadata}`} }`;
  const body = `{ action: ${action}, ${rules && `rules: ${rules}, `}${spec} }`;
  return `{ apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: ${meta}, spec: ${body} }\n---\n`;
}

/** `rules` is a list in YAML's flow style; "" leaves the field out. */
export const allow = (rules: string, more: PolicyMore = {}): string => policy("ALLOW", rules, more);
export const deny = (rules: string, more: PolicyMore = {}): string => policy("DENY", rules, more);
export const audit = (rules: string, more: PolicyMore = {}): string => policy("AUDIT", rules, more);
export const custom = (rules: string, more: PolicyMore = {}): string => policy("CUSTOM", rules, more);

/** One rule with one source, one operation, or one condition. */
export const from = (source: string): string => `[{ from: [{ source: { ${source} } }] }]`;
export const to = (operation: string): string => `[{ to: [{ operation: { ${operation} } }] }]`;
export const when = (key: string, values: string): string => `[{ when: [{ key: "${key}", ${values} }] }]`;
export const ANY = "[{}]";

export const ALICE = "cluster.local/ns/shop/sa/alice";
