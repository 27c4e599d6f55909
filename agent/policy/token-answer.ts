import { selection } from "../compile/policy/selection.ts";
import type { Mesh } from "../model/mesh.ts";
import { namespacedName } from "../model/meta.ts";
import type { Workload } from "../model/workload.ts";
import type { AuthzCall } from "./call.ts";

/** The effect of RequestAuthentications on a call's token. */
export interface TokenAnswer {
  readonly refusal: { readonly by: string; readonly reason: string } | undefined;
  /** The claims that policies can ask for; undefined: the call has no token, or no RequestAuthentication verifies it. */
  readonly claims: AuthzCall["claims"];
  /** A note for the reader; "" for none. */
  readonly note: string;
}

export function answerOfTokens(
  mesh: Mesh,
  rootNamespace: string,
  destination: Workload,
  { protocol, claims }: Pick<AuthzCall, "protocol" | "claims">,
): TokenAnswer {
  const selects = selection(mesh, rootNamespace);
  const objects = mesh.requestAuthentications.filter((object) => selects(object, destination));
  const broken = objects.find(({ alwaysDeny }) => alwaysDeny);
  if (broken !== undefined) {
    const by = namespacedName(broken.meta.namespace, broken.meta.name);
    const reason = "the RequestAuthentication cannot be read as it is written, and denies every call";
    return { refusal: { by, reason }, claims: undefined, note: "" };
  }
  if (claims === undefined || protocol === "tcp") return { refusal: undefined, claims: undefined, note: "" };
  const rules = objects.flatMap((object) => object.rules);
  if (rules.length === 0) {
    const note = "no RequestAuthentication selects the destination: nobody verifies the token there";
    return { refusal: undefined, claims: undefined, note };
  }
  if (rules.some(({ issuer }) => issuer === claims["iss"])) return { refusal: undefined, claims, note: "" };
  const issuers = [...new Set(rules.map(({ issuer }) => issuer))].join(", ");
  const reason = `only tokens from ${issuers} are accepted ("iss"): the request gets status 401`;
  return { refusal: { by: "", reason }, claims: undefined, note: "" };
}
