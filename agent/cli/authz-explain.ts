import { join } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import { explainCall, type AuthzRequest } from "../policy/explain.ts";
import { readSupervisor } from "../../deploy/lab/claim.ts";
import { nodeStateDir } from "../../deploy/lab/machine/lab-paths.ts";
import type { Workload } from "../model/workload.ts";
import { loadDeclared } from "../sources/load-declared.ts";
import { explanationText, type Explanation } from "./authz-text.ts";
import { nodesOf } from "./agent-sockets.ts";
import { chooseLab } from "../../deploy/lab/choose-lab.ts";
import { findWorkload } from "./find-workload.ts";
import { collect, withMeshFlags, type MeshFlags } from "./mesh-flags.ts";
import { outputOption, print, type OutputFormat } from "../lib/terminal/output.ts";

interface ExplainFlags extends MeshFlags {
  readonly manifests?: readonly string[];
  readonly name?: string;
  readonly method: string;
  readonly path: string;
  readonly host?: string;
  readonly header: readonly (readonly [string, string])[];
  readonly port?: number;
  readonly tcp?: boolean;
  readonly sni: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly sourceIp?: string;
  readonly output: OutputFormat;
}

/** Stands for somebody whom the mesh does not know. */
const OUTSIDE = "-";

/** `ambit authz …` */
export function registerAuthz(program: Command): void {
  const authz = program
    .command("authz")
    .summary("which policy decides about a call, and why")
    .description("Answers questions about AuthorizationPolicies without making a call.")
    .addHelpText("after", "\nExample:\n  $ ambit authz explain shop/storefront shop/inventory --manifests ./my-app");
  addExplain(authz);
}

function addExplain(authz: Command): void {
  withMeshFlags(authz.command("explain"))
    .summary("decide one call as the mesh would, and say which rule and field decide")
    .description(
      "Decides a call by the policies of manifests, or of a running lab, and says of each policy which field matched or failed.",
    )
    .argument(
      "<source>",
      `who calls: NAMESPACE/NAME of a pod or its Deployment, or ${OUTSIDE} for somebody outside the mesh`,
    )
    .argument("<destination>", "who is called: the same")
    .option("--manifests <folder>", "folder of manifests; later ones override earlier ones", collect)
    .addOption(new Option("--name <lab>", "a running lab, in place of manifests").conflicts("manifests"))
    .option("--method <method>", "of the request", "GET")
    .option("--path <path>", "of the request, with its query", requestPath, "/")
    .option("--host <host>", "of the request (default: the destination's name)")
    .option("--header <name:value>", "of the request; may be given several times", header, [])
    .option("--port <number>", "the pod's port, not the Service's (default: its first container port)", port)
    .option("--tcp", "a connection that is not HTTP")
    .option("--sni <name>", "the server's name in the connection's TLS", "")
    .option("--claims <json>", "claims of a token that the request carries and that is in order", claims)
    .option("--source-ip <address>", "the caller's address, where manifests do not know it")
    .addOption(outputOption())
    .addHelpText(
      "after",
      `
Examples:
  $ ambit authz explain shop/storefront shop/inventory --manifests ./my-app --method POST --path /items
  $ ambit authz explain shop/loadgen shop/cache --name try --tcp --port 6379
  $ ambit authz explain - shop/storefront --manifests ./my-app --source-ip 192.0.2.7
  $ ambit authz explain shop/a shop/b --manifests . --claims '{"iss":"https://issuer.example","sub":"ann"}' -o json`,
    )
    .action(async (source: string, destination: string, flags: ExplainFlags) => {
      print(await explain(source, destination, flags), flags.output, explanationText);
    });
}

async function explain(source: string, destination: string, flags: ExplainFlags): Promise<Explanation> {
  const mesh = await loadDeclared(foldersOf(flags), { ...flags, heldVersions: heldVersionsOf(flags) });
  const caller = source === OUTSIDE ? undefined : findWorkload(mesh, source);
  const called = findWorkload(mesh, destination);
  const request = requestOf(called, flags);
  return {
    source,
    destination,
    request,
    inMesh: caller?.enrolled === true,
    ...explainCall(mesh, flags, caller, called, request),
  };
}

function foldersOf({ manifests = [], name }: ExplainFlags): readonly string[] {
  if (manifests.length > 0) return manifests;
  const paths = chooseLab(name);
  const own = readSupervisor(paths)?.manifests;
  return own === undefined ? [paths.cluster] : [own, paths.cluster];
}

/** What is broken in a lab's manifests is not what its agents go by. */
function heldVersionsOf({ manifests = [], name }: ExplainFlags): string | undefined {
  if (manifests.length > 0) return undefined;
  const lab = chooseLab(name);
  const [node] = nodesOf(lab);
  return node === undefined ? undefined : join(nodeStateDir(lab, node), "held-versions.json");
}

function requestOf({ meta, workloadName, ports }: Workload, flags: ExplainFlags): AuthzRequest {
  const { method, path, sni, claims: token, sourceIp } = flags;
  return {
    protocol: flags.tcp === true ? "tcp" : "http",
    port: flags.port ?? ports.find(({ protocol }) => protocol === "TCP")?.port ?? 8080,
    sni,
    host: flags.host ?? `${workloadName}.${meta.namespace}`,
    method,
    path,
    headers: flags.header,
    claims: token,
    sourceAddress: sourceIp,
  };
}

function header(text: string, before: ExplainFlags["header"]): ExplainFlags["header"] {
  const at = text.indexOf(":");
  if (at < 1) throw new InvalidArgumentError("Give it as NAME:VALUE.");
  return [...before, [text.slice(0, at).trim(), text.slice(at + 1).trim()]];
}

function requestPath(text: string): string {
  if (!text.startsWith("/") && text !== "*") throw new InvalidArgumentError("Begin it with /.");
  return text;
}

function port(text: string): number {
  const value = Number(text);
  if (!/^[1-9]\d{0,4}$/u.test(text) || value > 65_535) throw new InvalidArgumentError("Give a number from 1 to 65535.");
  return value;
}

function claims(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError("Give a JSON object.");
}
