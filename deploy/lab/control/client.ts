import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { AmbitError, errnoOf, messageOf } from "../../../agent/lib/errors.ts";
import { askUnix, openUnix, type UnixAnswer } from "../../../agent/lib/unix-http.ts";
import { labPaths, type LabPaths } from "../machine/lab-paths.ts";
import { CONTROL, type ControlFailure, type JoinAnswer, type JoinRequest } from "./control-protocol.ts";
import type { LabStatus } from "./status-protocol.ts";

/** The lab's status. Throws AmbitError `lab-not-running`. */
export function labStatus(lab: string): Promise<LabStatus> {
  return call(labPaths(lab), "GET", CONTROL.status);
}

export function requestJoinCommand(lab: string, wanted: JoinRequest): Promise<JoinAnswer> {
  return call(labPaths(lab), "POST", CONTROL.join, wanted);
}

/** Milliseconds that the agents may take to follow a label. */
const FOLLOW_MS = 30_000;

/**
 * Brings a namespace, or a pod (`namespace/pod`), into the mesh of a running lab, or takes it out. Resolves once the nodes'
 * agents have followed. Throws AmbitError `lab-not-running`, `not-in-lab`, `enrollment-pending` (after 30 s).
 */
export async function setEnrollment(lab: string, target: string, on: boolean): Promise<void> {
  await call(labPaths(lab), "POST", CONTROL.enrollment, { target, on });
  const behind = await poll(
    FOLLOW_MS,
    50,
    async () => {
      const status = await labStatus(lab);
      if (status.nodes.every(({ adminSocket }) => adminSocket === null)) return [];
      const pods = status.pods.filter(({ namespace, name, phase }) => {
        return phase === "Running" && (namespace === target || `${namespace}/${name}` === target);
      });
      return pods.filter(({ enrolled, wanted }) => enrolled !== wanted);
    },
    (pods) => pods.length === 0,
  );
  if (behind.length === 0) return;
  throw new AmbitError({
    code: "enrollment-pending",
    kind: "system",
    what: `the label is set, but ${behind.length} pod(s) of ${target} have not followed within ${FOLLOW_MS / 1000} s`,
    why: behind.map(({ namespace, name, reason }) => `${namespace}/${name}: ${reason}`).join("; "),
    remedy: "see 'ambit lab status'",
  });
}

/** Asks the supervisor to take its lab down. Resolves once the lab is down. Throws AmbitError `lab-not-running`. */
export async function requestDown(paths: LabPaths): Promise<void> {
  await call(paths, "POST", CONTROL.down);
}

/** Ties a lab to this process: at the end of the process the lab goes down, unless `release` was called. Resolves once tied. */
export async function attach(paths: LabPaths): Promise<IncomingMessage> {
  const tie = await openUnix(paths.socket, CONTROL.attach, { method: "POST" }).catch((error: unknown) => {
    throw notRunning(paths, error);
  });
  tie.on("error", () => undefined);
  return tie.resume();
}

/** Unties a lab from all processes that called `attach`. */
export async function release(lab: string): Promise<void> {
  await call(labPaths(lab), "POST", CONTROL.release);
}

async function call<T>(paths: LabPaths, method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
  const { status, body: text } = await send(paths, method, path, body);
  const answer = JSON.parse(text) as unknown;
  if (status === 200) return answer as T;
  throw new AmbitError(answer as ControlFailure);
}

async function send(paths: LabPaths, method: "GET" | "POST", path: string, body: unknown): Promise<UnixAnswer> {
  try {
    return await askUnix(paths.socket, path, body === undefined ? { method } : { method, body: JSON.stringify(body) });
  } catch (error) {
    throw notRunning(paths, error);
  }
}

function notRunning(paths: LabPaths, cause: unknown): AmbitError {
  const absent = errnoOf(cause) === "ENOENT";
  return new AmbitError({
    code: "lab-not-running",
    kind: "user",
    what: `no lab named '${paths.name}' is running`,
    why: absent ? `there is no ${paths.socket}` : messageOf(cause),
    remedy: absent
      ? `see 'ambit lab list', or run 'ambit lab up --name ${paths.name} --manifests DIR'`
      : `run 'ambit lab down --name ${paths.name}' to remove what is left of it`,
  });
}

/** Asks every `intervalMs` until `done` is true or `timeoutMs` has passed. Returns the last answer. */
export async function poll<T>(
  timeoutMs: number,
  intervalMs: number,
  look: () => Promise<T>,
  done: (seen: T) => boolean,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (done(seen) || Date.now() >= end) return seen;
    await sleep(intervalMs);
  }
}
