import { join } from "node:path";
import { InvalidArgumentError, Option, type Command } from "commander";
import type { ConditionTrace, PolicyTrace } from "../policy/evaluate.ts";
import { explainCall, type AuthzRequest, type Explained } from "../policy/explain.ts";
import { readSupervisor } from "../../deploy/lab/claim.ts";
import { nodeStateDir } from "../../deploy/lab/machine/lab-paths.ts";
import type { Mesh } from "../model/mesh.ts";
import type { Workload } from "../model/workload.ts";
import { isTcpPort } from "../policy/port-protocol.ts";
import { loadDeclared } from "../sources/load-declared.ts";
import { nodesOf } from "./agent-sockets.ts";
import { chooseLab } from "../../deploy/lab/choose-lab.ts";
import { findWorkload } from "./find-workload.ts";
import { collect, withMeshFlags, type MeshFlags } from "./mesh-flags.ts";
import { outputOption, print, table, type OutputFormat } from "../lib/terminal/output.ts";

interface ExplainFlags extends MeshFlags {
  readonly manifests?: readonly string[];
  readonly name?: string;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly header: readonly (readonly [string, string])[];
  readonly port?: number;
  readonly tcp?: boolean;
  readonly sni: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly sourceIp?: string;
  readonly output: OutputFormat;
}

/** What `ambit authz explain -o json` prints. */
export interface Explanation extends Explained {
  readonly source: string;
  readonly destination: string;
  readonly request: AuthzRequest;
  /** The caller is a pod of the mesh. */
  readonly inMesh: boolean;
}

/** Stands for a caller outside the mesh. */
const OUTSIDE = "-";

/** `ambit authz …` */
export function registerAuthz(program: Command): void {
  const authz = program
    .command("authz")
    .description("Answers questions about AuthorizationPolicies without making a call.")
    .addHelpText("after", "\nExample:\n  $ ambit authz explain shop/storefront shop/inventory --manifests ./my-app");
  addExplain(authz);
}

function addExplain(authz: Command): void {
  withMeshFlags(authz.command("explain"))
    .summary("decide one call as the mesh would, and name the rule and the field that decide")
    .description(
      "Decides a call by the policies of manifests, or of a running lab, and shows for each policy which field matched " +
        "or failed.",
    )
    .argument(
      "<source>",
      `the caller: NAMESPACE/NAME of a pod or its Deployment, or ${OUTSIDE} for a caller outside the mesh`,
    )
    .argument("<destination>", "the called pod, named in the same way")
    .option("--manifests <folder>", "folder of manifests; later ones override earlier ones", collect)
    .addOption(new Option("--name <lab>", "a running lab, instead of manifests").conflicts("manifests"))
    .option("--method <method>", "method of the request (default: GET)")
    .option("--path <path>", "path of the request, with its query (default: /)", requestPath)
    .option("--host <host>", "host of the request (default: the destination's name)")
    .option("--header <name:value>", "header of the request; may be given several times", header, [])
    .option("--port <number>", "the pod's port, not the Service's (default: its first container port)", portNumber)
    .option("--tcp", "decide a connection that is not HTTP (default where the Services of a lab call the port TCP)")
    .option("--sni <name>", "server name (SNI) of the connection's TLS", "")
    .option("--claims <json>", "claims of the request's token, which is taken to be valid", claims)
    .option("--source-ip <address>", "the caller's address, if the manifests do not have it")
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
  const { request, note } = requestOf(mesh, called, flags);
  const explained = explainCall(mesh, flags, caller, called, request);
  return {
    source,
    destination,
    request,
    inMesh: caller?.enrolled === true,
    ...explained,
    notes: note === "" ? explained.notes : [note, ...explained.notes],
  };
}

function foldersOf({ manifests = [], name }: ExplainFlags): readonly string[] {
  if (manifests.length > 0) return manifests;
  const paths = chooseLab(name);
  const own = readSupervisor(paths)?.manifests;
  return own === undefined ? [paths.cluster] : [own, paths.cluster];
}

/** Where a lab's manifests are broken, its agents keep the last valid version of an object. */
function heldVersionsOf({ manifests = [], name }: ExplainFlags): string | undefined {
  if (manifests.length > 0) return undefined;
  const lab = chooseLab(name);
  const [node] = nodesOf(lab);
  return node === undefined ? undefined : join(nodeStateDir(lab, node), "held-versions.json");
}

function requestOf(
  mesh: Mesh,
  called: Workload,
  flags: ExplainFlags,
): { readonly request: AuthzRequest; readonly note: string } {
  const { meta, workloadName, ports } = called;
  const { method, path, host, header: headers, sni, claims: token, sourceIp } = flags;
  const port = flags.port ?? ports.find(({ protocol }) => protocol === "TCP")?.port ?? 8080;
  const ofRequest = [method, path, host, token, headers[0]];
  const asksHttp = flags.tcp !== true && ofRequest.some((given) => given !== undefined);
  const isTcp = flags.tcp !== true && isTcpPort(mesh, called, port);
  return {
    request: {
      protocol: flags.tcp === true || (isTcp && !asksHttp) ? "tcp" : "http",
      port,
      sni,
      host: host ?? `${workloadName}.${meta.namespace}`,
      method: method ?? "GET",
      path: path ?? "/",
      headers,
      claims: token,
      sourceAddress: sourceIp,
    },
    note: !isTcp
      ? ""
      : asksHttp
        ? `Services call port ${port} TCP: the mesh sees no requests there, and --tcp tells what it decides`
        : `Services call port ${port} TCP, so this decides a connection and no request`,
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

function portNumber(text: string): number {
  const value = Number(text);
  if (!/^[1-9]\d{0,4}$/u.test(text) || value > 65_535) throw new InvalidArgumentError("Give a number from 1 to 65535.");
  return value;
}

function claims(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Reported below.
  }
  throw new InvalidArgumentError("Give a JSON object.");
}

function explanationText(explanation: Explanation): string {
  const { source, destination, request, verdict, decidedBy, reason, policies, notes, inMesh } = explanation;
  const { protocol, method, path, host, port } = request;
  const what = protocol === "tcp" ? `connects to port ${port}` : `asks ${method} ${path} of ${host}, port ${port}`;
  const known = inMesh ? "" : " (outside the mesh)";
  const lines = [
    `${source}${known} ${what} of ${destination}:`,
    `${verdict}${decidedBy === "" ? "" : ` by ${decidedBy}`}: ${reason}`,
    ...notes.map((note) => `note: ${note}`),
  ];
  if (policies.length === 0) return lines.join("\n");
  const rows = policies.flatMap((policy) => {
    const [first = "", ...more] = policy.because.map(conditionText);
    return [
      [policy.policy, actionText(policy), policy.matches ? "yes" : "no", first],
      ...more.map((text) => ["", "", "", text]),
    ];
  });
  return [...lines, "", table([["POLICY", "ACTION", "MATCHES", "BECAUSE"], ...rows])].join("\n");
}

function actionText({ action, decides }: PolicyTrace): string {
  return decides || action === "AUDIT" ? action : `${action} (dry run)`;
}

function conditionText({ field, holds, found }: ConditionTrace): string {
  return `${field} ${holds ? "holds" : "does not hold"}: ${found === "" ? "there is none" : JSON.stringify(found)}`;
}
