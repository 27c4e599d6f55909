import type { PolicyAttribute, PolicyCondition, PolicyRule } from "../../model/authorization-policy.ts";
import { filled, readCondition } from "./condition.ts";
import { readValue } from "./values.ts";
import type { Reader } from "../reader.ts";

/** Istio's fields of a source or an operation, each the same as a condition on an attribute. `notX` goes with each. */
type Fields = Readonly<Record<string, PolicyAttribute>>;

const SOURCE: Fields = {
  principals: "source.principal",
  requestPrincipals: "request.auth.principal",
  namespaces: "source.namespace",
  serviceAccounts: "source.serviceAccount",
  ipBlocks: "source.ip",
  remoteIpBlocks: "remote.ip",
};
const OPERATION: Fields = {
  hosts: "request.host",
  methods: "request.method",
  paths: "request.path",
  ports: "destination.port",
};

/** AuthorizationPolicy.spec.rules[]. Errors are in the reader's notes; the result is of no use then. */
export function readRule(rule: Reader, namespace: string): PolicyRule {
  if (rule.raw === null)
    rule.invalid("wrong-type", "expected an object, found null", "Write {} for a rule that always holds.");
  rule.fields(["from", "to", "when"]);
  return {
    from: filled(rule.field("from")).map((entry) => readPart(entry, "source", SOURCE, namespace)),
    to: filled(rule.field("to")).map((entry) => readPart(entry, "operation", OPERATION, namespace)),
    when: filled(rule.field("when"))
      .map((entry) => readCondition(entry, namespace))
      .filter((condition) => condition !== undefined),
  };
}

function readPart(entry: Reader, name: string, fields: Fields, namespace: string): readonly PolicyCondition[] {
  entry.fields([name]);
  const part = entry.field(name).required();
  const names = Object.keys(fields).flatMap((field) => [field, negated(field)]);
  part.fields(names);
  // Unknown fields in it are already reported. Without the entry the rule would match every call.
  if (part.isEmptyObject) {
    part.invalid("empty-value", `${name} is empty`, "Add at least one field.");
  }
  return Object.entries(fields).flatMap(([field, attribute]) => {
    const read = (list: Reader): readonly string[] =>
      filled(list)
        .map((item) => readValue(attribute, item, namespace))
        .filter((value) => value !== undefined);
    const values = read(part.field(field));
    const notValues = read(part.field(negated(field)));
    return values.length + notValues.length === 0 ? [] : [{ attribute, path: [], values, notValues }];
  });
}

/** `notPrincipals` of `principals`. */
function negated(field: string): string {
  return `not${field.charAt(0).toUpperCase()}${field.slice(1)}`;
}
