import type { PolicyAttribute, PolicyCondition } from "../../model/authorization-policy.ts";
import { readValue } from "./values.ts";
import { didYouMean } from "../did-you-mean.ts";
import { isHeaderName } from "../valid-names.ts";
import { quote, type Reader } from "../reader.ts";

/** Istio's keys of `when` that are whole attributes. */
const PLAIN = [
  "source.ip",
  "remote.ip",
  "source.namespace",
  "source.principal",
  "source.serviceAccount",
  "request.auth.principal",
  "request.auth.audiences",
  "request.auth.presenter",
  "destination.ip",
  "destination.port",
  "connection.sni",
] as const satisfies readonly PolicyAttribute[];
const NAMED = ["request.headers", "request.auth.claims"] as const satisfies readonly PolicyAttribute[];

type ConditionKey = Pick<PolicyCondition, "attribute" | "path">;

/** AuthorizationPolicy.spec.rules[].when[]; undefined if the reader does not understand its key, which it reports. */
export function readCondition(entry: Reader, namespace: string): PolicyCondition | undefined {
  entry.fields(["key", "values", "notValues"]);
  const field = entry.field("key").required();
  const key = readKey(field);
  const lists = [entry.field("values"), entry.field("notValues")] as const;
  if (lists.every((list) => !list.isWritten)) {
    entry.invalid("missing-field", "the condition has neither values nor notValues", "Add one of them.");
  }
  if (key === undefined) return undefined;
  const [values, notValues] = lists.map((list) =>
    filled(list)
      .map((item) => readValue(key.attribute, item, namespace))
      .filter((value) => value !== undefined),
  );
  return { ...key, values: values ?? [], notValues: notValues ?? [] };
}

function readKey(field: Reader): ConditionKey | undefined {
  const key = field.string();
  if (key === undefined) return undefined;
  if (key === "connection.sni") {
    field.warning({
      code: "sni-not-read",
      reason:
        "Ambit does not read the SNI of an application's own TLS: on TCP, ALLOW rules with this condition match nothing, and DENY rules match as if they did not have it",
      remedy: "Restrict the rule by port (to.operation.ports) or by caller (from.source).",
    });
  }
  const plain = PLAIN.find((attribute) => attribute === key);
  if (plain !== undefined) return { attribute: plain, path: [] };
  const attribute = NAMED.find((name) => key.startsWith(`${name}[`));
  if (attribute !== undefined) return readNamed(field, key, attribute);
  if (key.startsWith("experimental.")) {
    const reason = "experimental attributes are not supported; the policy denies every call to the Pods it selects";
    return field.invalid("unsupported-field", reason, "Use request.headers[…] or another attribute.");
  }
  const guess = didYouMean(key, [...PLAIN, ...NAMED]);
  return field.invalid(
    "unknown-attribute",
    `there is no attribute ${quote(key)}; the policy denies every call to the Pods it selects`,
    guess === undefined ? `Use one of ${[...PLAIN, ...NAMED.map((name) => `${name}[…]`)].join(", ")}.` : remedy(guess),
  );
}

function remedy(guess: string): string {
  return `Did you mean ${quote(NAMED.some((name) => name === guess) ? `${guess}[…]` : guess)}?`;
}

/** `request.headers[x-name]`, `request.auth.claims[a][b]`. */
function readNamed(field: Reader, key: string, attribute: (typeof NAMED)[number]): ConditionKey | undefined {
  const brackets = key.slice(attribute.length);
  const path = [...brackets.matchAll(/\[([^[\]]+)\]/gu)].map(([, name]) => name ?? "");
  if (path.map((name) => `[${name}]`).join("") !== brackets) {
    return field.invalid("invalid-value", `${quote(key)} is not closed, or empty`, `Write ${attribute}[name].`);
  }
  if (attribute === "request.auth.claims") return { attribute, path };
  const [name, ...more] = path;
  if (name === undefined || more.length > 0 || !isHeaderName(name)) {
    const reason = `${quote(key)} does not name one header`;
    return field.invalid("invalid-value", reason, "Write request.headers[name]; hosts, methods and paths have fields.");
  }
  // Envoy has the Host header under this name.
  const lower = name.toLowerCase();
  return { attribute, path: [lower === "host" ? ":authority" : lower] };
}

/** The entries of a list. An empty list is an error: it could mean everything or nothing. */
export function filled(list: Reader): readonly Reader[] {
  const items = list.items();
  if (Array.isArray(list.raw) && items.length === 0) {
    list.invalid("empty-value", "the list is empty", "Add entries; without the field the rule asks for nothing here.");
  }
  return items;
}
