import { expect } from "vitest";
import type { FilterJwtRule, FilterPolicy } from "../../agent/compile/filters/filter-config.ts";
import type { Stream } from "../host/stream.ts";
import { WasmHost } from "../host/wasm-host.ts";
import { Issuer, ISSUER_URL } from "../jwt/issuer.ts";
import { jwtRule } from "../jwt/jwt-rule.ts";
import { CHAIN, EMPTY, peer } from "./chain.ts";

export type Headers = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

export const ec = new Issuer("ES256", "key-1");
export const rsa = new Issuer("RS256", "key-2");
export const NOW = 1_800_000_000;
export const CLAIMS = { iss: ISSUER_URL, sub: "alice", aud: ["shop", "else"], azp: "web", exp: NOW + 3600 };
export const good = ec.token(CLAIMS);

/** By the keys of these issuers, or of both. */
export const rule = (part: Partial<FilterJwtRule> = {}, ...issuers: readonly Issuer[]): FilterJwtRule =>
  jwtRule(issuers.length === 0 ? [ec, rsa] : issuers, part);

export function host(jwtRules: readonly FilterJwtRule[], policies: readonly FilterPolicy[] = []): WasmHost {
  const wasm = new WasmHost(CHAIN);
  wasm.now = NOW * 1000;
  configure(wasm, jwtRules, policies);
  return wasm;
}

export function configure(
  wasm: WasmHost,
  jwtRules: readonly FilterJwtRule[],
  policies: readonly FilterPolicy[] = [],
): void {
  const set = { id: "set", policies, jwtRules: jwtRules.map(({ id }) => id) };
  const clusters = [{ name: "guarded", policySet: "set", port: 8080 }];
  expect(wasm.configure("outbound", { ...EMPTY, policySets: [set], jwtRules, clusters })).toBe(true);
}

export function ask(wasm: WasmHost, headers: Headers = {}, path = "/"): Stream {
  const all = Array.isArray(headers) ? headers : Object.entries(headers);
  return wasm.request({
    headers: [[":method", "GET"], [":path", path], [":authority", "web:80"], ...all],
    properties: { "xds/cluster_name": "guarded", "filter_state/ambit.source": peer("bob") },
  });
}

export const call = (only: FilterJwtRule, headers: Headers = {}, path = "/"): Stream =>
  ask(host([only]), headers, path);
export const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });
