import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { messageOf } from "../../../agent/lib/errors.ts";
import { tryRun } from "../machine/run-command.ts";
import type { ProbeAction } from "../pod-spec/probe-spec.ts";
import type { ProbedContainer } from "./kubelet-protocol.ts";

/** Tries a probe once. Resolves to undefined if it succeeds, else to the reason. Never rejects. */
export async function tryProbe({ probe, address, join }: ProbedContainer): Promise<string | undefined> {
  const timeoutMs = probe.timeoutSeconds * 1000;
  try {
    switch (probe.action.kind) {
      case "http":
        return await tryHttp(probe.action, address, timeoutMs);
      case "tcp":
        return await tryTcp(address, probe.action.port, timeoutMs);
      case "exec":
        return await tryCommand(join, probe.action.command, timeoutMs);
    }
  } catch (error) {
    return messageOf(error);
  }
}

type HttpAction = Extract<ProbeAction, { kind: "http" }>;

/** As in Kubernetes: a status from 200 to 399 succeeds, each try has a new connection, and certificates are not checked. */
function tryHttp(action: HttpAction, host: string, timeoutMs: number): Promise<string | undefined> {
  const { scheme, port, path } = action;
  const what = `GET ${scheme}://${host}:${port}${path}`;
  return new Promise((resolve) => {
    const options = {
      host,
      port,
      path,
      agent: false as const,
      headers: { "user-agent": "kube-probe/ambit-lab", accept: "*/*", ...Object.fromEntries(action.headers) },
      signal: AbortSignal.timeout(timeoutMs),
    };
    const request = scheme === "https" ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      response.resume();
      response.on("error", () => undefined);
      request.destroy();
      resolve(status >= 200 && status < 400 ? undefined : `${what} was answered with status ${status}`);
    });
    request.on("error", (error) => resolve(`${what} failed: ${reason(error, timeoutMs)}`));
    request.end();
  });
}

function tryTcp(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.timeout(timeoutMs) });
    const end = (result: string | undefined): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => end(undefined));
    socket.on("error", (error) => end(`connecting to ${host}:${port} failed: ${reason(error, timeoutMs)}`));
  });
}

async function tryCommand(
  join: readonly string[],
  command: readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  const { code, stderr, stdout } = await tryRun("/bin/sh", [...join, ...command], { timeoutMs });
  const said = (stderr.trim() || stdout.trim()).split("\n").at(-1) ?? "";
  return code === 0 ? undefined : `'${command.join(" ")}' ended with exit code ${code}${said && `: ${said}`}`;
}

function reason(error: Error, timeoutMs: number): string {
  return error.name === "AbortError" ? `no answer within ${timeoutMs / 1000} s` : error.message;
}
