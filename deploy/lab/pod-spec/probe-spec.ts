import type { Reader } from "../../../agent/objects/reader.ts";
import { warnOfUnsupported } from "./unsupported.ts";

export type ProbeAction =
  | {
      readonly kind: "http";
      readonly scheme: "http" | "https";
      readonly path: string;
      readonly port: number;
      readonly headers: readonly (readonly [string, string])[];
    }
  | { readonly kind: "tcp"; readonly port: number }
  | { readonly kind: "exec"; readonly command: readonly string[] };

/** A probe; times in seconds, with Kubernetes' defaults filled in. */
export interface ProbeSpec {
  readonly action: ProbeAction;
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

const MAX_SECONDS = 86_400;

/** undefined where there is no probe, or an unsupported one. `ports`: the container's ports by name. */
export function readProbe(probe: Reader, ports: ReadonlyMap<string, number>): ProbeSpec | undefined {
  if (!probe.present) return undefined;
  warnOfUnsupported(probe, FIELDS);
  const action = readAction(probe, ports);
  const number = (name: string, least: number, standard: number): number =>
    probe.field(name).integer(least, MAX_SECONDS) ?? standard;
  const numbers = {
    initialDelaySeconds: number("initialDelaySeconds", 0, 0),
    periodSeconds: number("periodSeconds", 1, 10),
    timeoutSeconds: number("timeoutSeconds", 1, 1),
    successThreshold: number("successThreshold", 1, 1),
    failureThreshold: number("failureThreshold", 1, 3),
  };
  return action === undefined ? undefined : { action, ...numbers };
}

const FIELDS = [
  ...["httpGet", "tcpSocket", "exec", "initialDelaySeconds", "periodSeconds", "timeoutSeconds"],
  ...["successThreshold", "failureThreshold"],
];

function readAction(probe: Reader, ports: ReadonlyMap<string, number>): ProbeAction | undefined {
  const http = probe.field("httpGet");
  if (http.present) {
    warnOfUnsupported(http, ["path", "port", "scheme", "httpHeaders"]);
    const port = readPort(http.field("port").required(), ports);
    const path = http.field("path").string() ?? "/";
    const scheme = http.field("scheme").oneOf(["HTTP", "HTTPS"]) === "HTTPS" ? "https" : "http";
    const headers = http.field("httpHeaders").list((header) => {
      const name = header.field("name").required().string();
      return name === undefined ? undefined : ([name, header.field("value").string() ?? ""] as const);
    });
    if (port === undefined) return undefined;
    return { kind: "http", scheme, path: path.startsWith("/") ? path : `/${path}`, port, headers };
  }
  const tcp = probe.field("tcpSocket");
  if (tcp.present) {
    warnOfUnsupported(tcp, ["port"]);
    const port = readPort(tcp.field("port").required(), ports);
    return port === undefined ? undefined : { kind: "tcp", port };
  }
  if (!probe.field("exec").present) return undefined;
  const command = probe
    .field("exec")
    .field("command")
    .required()
    .list((item) => item.string());
  return command.length === 0 ? undefined : { kind: "exec", command };
}

function readPort(field: Reader, ports: ReadonlyMap<string, number>): number | undefined {
  if (typeof field.raw !== "string") return field.port();
  const port = ports.get(field.raw);
  if (port !== undefined) return port;
  return field.invalid(
    "probe-port-not-found",
    `the container declares no port named '${field.raw}'`,
    "Write the number, or declare the port under ports.",
  );
}
