import { Option, type Command } from "commander";
import { compareText } from "../../../agent/lib/compare.ts";
import { AmbitError } from "../../../agent/lib/errors.ts";
import { table } from "../../../agent/lib/terminal/output.ts";
import { stringify } from "../../../agent/lib/yaml.ts";
import { mergeObjects } from "../../../agent/objects/merge-objects.ts";
import type { RawObject } from "../../../agent/objects/raw-object.ts";
import { ManifestFolder } from "../../../agent/sources/manifest-folder.ts";
import { labStatus } from "../control/client.ts";
import { labPaths } from "../machine/lab-paths.ts";
import { at, columnsOf } from "./kubectl-columns.ts";
import { labNameOption } from "./lab-options.ts";

/** A kind that `ambit lab get` knows, with kubectl's names for it. */
interface ApiResource {
  readonly kind: string;
  readonly group: string;
  readonly names: readonly string[];
  readonly namespaced: boolean;
}

const core = (kind: string, names: readonly string[], namespaced = true): ApiResource => ({
  ...{ kind, group: "", names, namespaced },
});
const of = (group: string, kind: string, ...names: readonly string[]): ApiResource => ({
  ...{ kind, group, names, namespaced: true },
});

const RESOURCES: readonly ApiResource[] = [
  core("Pod", ["pods", "pod", "po"]),
  core("Service", ["services", "service", "svc"]),
  of("discovery.k8s.io", "EndpointSlice", "endpointslices", "endpointslice", "endpoints", "ep"),
  of("apps", "Deployment", "deployments", "deployment", "deploy"),
  of("apps", "StatefulSet", "statefulsets", "statefulset", "sts"),
  of("batch", "Job", "jobs", "job"),
  core("ConfigMap", ["configmaps", "configmap", "cm"]),
  core("Secret", ["secrets", "secret"]),
  core("Node", ["nodes", "node", "no"], false),
  core("Namespace", ["namespaces", "namespace", "ns"], false),
  of("gateway.networking.k8s.io", "HTTPRoute", "httproutes", "httproute"),
  of("security.istio.io", "AuthorizationPolicy", "authorizationpolicies", "authorizationpolicy", "ap"),
  of("security.istio.io", "RequestAuthentication", "requestauthentications", "requestauthentication", "ra"),
];

function resourceNamed(name: string): ApiResource | undefined {
  return RESOURCES.find(({ names }) => names.includes(name.toLowerCase()));
}

interface GetOptions {
  readonly name: string;
  readonly namespace: string;
  readonly allNamespaces?: boolean;
  readonly output?: "wide" | "yaml" | "json" | "name";
  readonly selector?: string;
}

export function addLabGet(lab: Command): void {
  lab
    .command("get")
    .summary("objects of a lab, as kubectl shows them")
    .description("Shows objects of a lab as 'kubectl get' would, with the fields that the lab has filled in.")
    .argument("<kind>", `${RESOURCES.map(({ names }) => names[0]).join(", ")}; or KIND/NAME`)
    .argument("[names...]", "only these")
    .addOption(labNameOption())
    .option("-n, --namespace <namespace>", "the namespace", "default")
    .option("-A, --all-namespaces", "of all namespaces")
    .option("-l, --selector <labels>", "only those with these labels, for example app=web,tier!=test")
    .addOption(new Option("-o, --output <format>", "how to print them").choices(["wide", "yaml", "json", "name"]))
    .addHelpText("after", "\nExamples:\n  $ ambit lab get pods -A -o wide\n  $ ambit lab get svc/web -n shop -o yaml")
    .action(async (kind: string, names: string[], options: GetOptions) => {
      process.exitCode = await get(kind, names, options);
    });
}

async function get(argument: string, names: readonly string[], options: GetOptions): Promise<number> {
  const [kindName = "", ...rest] = argument.split("/");
  const wanted = [...rest, ...names];
  const resource = resourceNamed(kindName);
  if (resource === undefined) throw unknownKind(kindName);
  const status = await labStatus(options.name);
  const folders = [new ManifestFolder(status.manifests, 0), new ManifestFolder(labPaths(options.name).cluster, 1)];
  for (const folder of folders) await folder.refresh();
  const all = mergeObjects(
    folders.flatMap((folder) => folder.objects),
    [],
  );
  const everywhere = options.allNamespaces === true || !resource.namespaced;
  const here = all
    .filter(({ kind, group }) => kind === resource.kind && group === resource.group)
    .filter(({ namespace }) => everywhere || namespace === options.namespace)
    .filter((object) => hasLabels(object, options.selector))
    .toSorted((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name));
  const found = wanted.length === 0 ? here : here.filter(({ name }) => wanted.includes(name));
  const missing = wanted.filter((name) => !here.some((object) => object.name === name));
  for (const name of missing) {
    const group = resource.group === "" ? "" : `.${resource.group}`;
    process.stderr.write(`Error from server (NotFound): ${resource.names[0]}${group} "${name}" not found\n`);
  }
  if (found.length === 0 && missing.length === 0) {
    const where = everywhere ? "" : ` in ${options.namespace} namespace`;
    process.stderr.write(`No resources found${where}.\n`);
  }
  if (found.length > 0) print(resource, found, status, options);
  return missing.length > 0 ? 1 : 0;
}

function print(
  resource: ApiResource,
  objects: readonly RawObject[],
  status: Awaited<ReturnType<typeof labStatus>>,
  { output, allNamespaces }: GetOptions,
): void {
  const write = (text: string): void => void process.stdout.write(`${text.trimEnd()}\n`);
  if (output === "yaml" || output === "json") {
    const values = objects.map(({ value }) => value);
    const single = values.length === 1 ? values[0] : { apiVersion: "v1", kind: "List", items: values };
    return write(output === "json" ? JSON.stringify(single, undefined, 2) : stringify(single));
  }
  if (output === "name") {
    const group = resource.group === "" ? "" : `.${resource.group}`;
    return write(objects.map(({ name }) => `${resource.kind.toLowerCase()}${group}/${name}`).join("\n"));
  }
  const columns = columnsOf(resource.kind);
  const withNamespace = allNamespaces === true && resource.namespaced;
  const head = output === "wide" ? [...columns.head, ...columns.wide] : columns.head;
  const now = new Date();
  const rows = objects.map((object) => [
    ...(withNamespace ? [object.namespace] : []),
    ...columns.row(object, status, now).slice(0, head.length),
  ]);
  write(table([[...(withNamespace ? ["NAMESPACE"] : []), ...head], ...rows]));
}

/** kubectl's equality-based selectors: `a=b`, `a==b`, `a!=b`, `a`, `!a`, separated by commas. */
function hasLabels({ value }: RawObject, selector: string | undefined): boolean {
  const labels = at(value, "metadata", "labels") ?? {};
  return (selector ?? "")
    .split(",")
    .filter(Boolean)
    .every((part) => {
      const [, key = "", operator, wanted] = /^([^=!]+)(==|=|!=)(.*)$/u.exec(part) ?? [];
      if (operator === undefined) return part.startsWith("!") ? !(part.slice(1) in labels) : part in labels;
      return operator === "!=" ? labels[key] !== wanted : labels[key] === wanted;
    });
}

function unknownKind(name: string): AmbitError {
  return new AmbitError({
    code: "unknown-kind",
    kind: "user",
    what: `the lab has no kind '${name}'`,
    remedy: `use one of ${RESOURCES.map(({ names }) => names[0]).join(", ")}`,
  });
}
