import { InvalidArgumentError, Option } from "commander";
import { MAX_NODES } from "../network/address-plan.ts";

export function labNameOption(): Option {
  return new Option("--name <name>", "the lab's name").default("default");
}

export function nodeCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_NODES) return count;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${MAX_NODES}.`);
}

/** `NAMESPACE/POD`, or a pod of the namespace `default`. */
export function podReference(text: string): { readonly namespace: string; readonly pod: string } {
  const slash = text.indexOf("/");
  return slash === -1
    ? { namespace: "default", pod: text }
    : { namespace: text.slice(0, slash), pod: text.slice(slash + 1) };
}
