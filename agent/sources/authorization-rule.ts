import type { PolicyOperation, PolicyRule, PolicySource } from "../model/authorization-policy.ts";
import { readBlock, readHost, readMethod, readPath, readPort, readText } from "./authorization-values.ts";
import type { Reader } from "./reader.ts";
import { words } from "./words.ts";

type ReadValue = (field: Reader) => string | undefined;

const SOURCE: Readonly<Record<keyof PolicySource, ReadValue>> = {
  principals: readText,
  notPrincipals: readText,
  namespaces: readText,
  notNamespaces: readText,
  ipBlocks: readBlock,
  notIpBlocks: readBlock,
};
const OPERATION: Readonly<Record<keyof PolicyOperation, ReadValue>> = {
  hosts: readHost,
  notHosts: readHost,
  methods: readMethod,
  notMethods: readMethod,
  paths: readPath,
  notPaths: readPath,
  ports: readPort,
  notPorts: readPort,
};

/** Istio's fields that need what Ambit does not know yet: tokens, trusted proxies, service accounts apart from principals. */
const UNSUPPORTED_SOURCE = words(`
  requestPrincipals notRequestPrincipals remoteIpBlocks notRemoteIpBlocks serviceAccounts notServiceAccounts
`);

/** AuthorizationPolicy.spec.rules[]. Errors are in the reader's notes; what is given back then is of no use. */
export function readRule(rule: Reader): PolicyRule {
  if (rule.raw === null)
    rule.invalid("wrong-type", "expected an object, found null", "Write {} for a rule that always holds.");
  rule.fields(["from", "to", "when"]);
  reportUnsupported(rule.field("when"));
  return {
    from: filled(rule.field("from")).map((entry) => readPart(entry, "source", SOURCE, UNSUPPORTED_SOURCE)),
    to: filled(rule.field("to")).map((entry) => readPart(entry, "operation", OPERATION, [])),
  };
}

function readPart<K extends string>(
  entry: Reader,
  name: string,
  readers: Readonly<Record<K, ReadValue>>,
  unsupported: readonly string[],
): Readonly<Record<K, readonly string[]>> {
  entry.fields([name]);
  const part = entry.field(name).required();
  const keys = Object.keys(readers) as K[];
  part.fields([...keys, ...unsupported]);
  for (const field of unsupported) reportUnsupported(part.field(field));
  if (![...keys, ...unsupported].some((field) => part.field(field).raw !== undefined)) {
    part.invalid("empty-value", `${name} says nothing`, "Remove the entry, or say what it stands for.");
  }
  const lists = keys.map((key) => [
    key,
    filled(part.field(key))
      .map(readers[key])
      .filter((value) => value !== undefined),
  ]);
  return Object.fromEntries(lists) as Record<K, readonly string[]>;
}

/** A list's entries. An empty one is an error: whether it stands for everything or for nothing is anybody's guess. */
function filled(list: Reader): readonly Reader[] {
  const items = list.items();
  if (Array.isArray(list.raw) && items.length === 0) {
    list.invalid("empty-value", "the list is empty", "Remove the field, or put something into the list.");
  }
  return items;
}

function reportUnsupported(field: Reader): void {
  if (field.raw === undefined) return;
  const reason = "this is not supported yet; the policy denies every call to the Pods it selects";
  field.invalid("unsupported-field", reason, "Remove the field, or say the same by other fields.");
}
