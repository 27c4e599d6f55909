import { InvalidArgumentError, Option, type Command } from "commander";
import { DEFAULT_LIMITS, ENVOY_REGEX_LIMIT, type Limits } from "../model/limits.ts";
import { DEFAULT_MESH_OPTIONS, type MeshOptions } from "../model/mesh-options.ts";
import { numberList, printedNumbers } from "./number-list.ts";

/** The flags that `withMeshFlags` adds, as commander parses them. */
export interface MeshFlags {
  readonly enrollmentLabel: MeshOptions["enrollmentLabel"];
  readonly trustDomain: string;
  readonly rootNamespace: string;
  readonly limits: Limits;
}

/** Adds the flags that change how objects are read. Every command that reads a mesh has the same flags. */
export function withMeshFlags(command: Command): Command {
  const { enrollmentLabel, trustDomain, rootNamespace } = DEFAULT_MESH_OPTIONS;
  return command
    .addOption(
      new Option("--enrollment-label <key=value>", "the label that puts a Namespace or a Pod into the mesh")
        .argParser(label)
        .default(enrollmentLabel, `${enrollmentLabel.key}=${enrollmentLabel.value}`),
    )
    .option("--trust-domain <domain>", "trust domain of every SPIFFE ID", trustDomain)
    .option("--root-namespace <namespace>", "policies in this namespace apply to the whole mesh", rootNamespace)
    .addOption(
      new Option("--limits <name=number,...>", "what the objects of one namespace may use: docs/security.md")
        .env("AMBIT_LIMITS")
        .argParser(limits)
        .default(DEFAULT_LIMITS, printedNumbers(DEFAULT_LIMITS)),
    );
}

function limits(text: string): Limits {
  const all = numberList<Limits>(DEFAULT_LIMITS)(text);
  if (all.regex > ENVOY_REGEX_LIMIT) throw new InvalidArgumentError(`regex can be ${ENVOY_REGEX_LIMIT} at most.`);
  return all;
}

function label(text: string): MeshOptions["enrollmentLabel"] {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("Give it as KEY=VALUE.");
  return { key: text.slice(0, at), value: text.slice(at + 1) };
}

/** Parser for options that may be given several times; keeps their order. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
