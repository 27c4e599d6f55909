import { once } from "node:events";
import { chmodSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { AmbitError, messageOf } from "../../../agent/lib/errors.ts";
import {
  CONTROL,
  type ControlFailure,
  type EnrollmentRequest,
  type JoinAnswer,
  type JoinRequest,
} from "./control-protocol.ts";
import type { LabStatus } from "./status-protocol.ts";

const MAX_BODY = 64 << 10;

/** What the control API asks of a running lab. */
export interface ControlledLab {
  status(): LabStatus;
  joinCommand(namespace: string, pod: string, container: string | undefined): readonly string[];
  setEnrollment(target: string, on: boolean): void;
}

/** Serves the control API. `down` takes the lab down, and resolves when the lab is gone. */
export async function serveControl(socket: string, lab: ControlledLab, down: () => Promise<void>): Promise<Server> {
  let released = false;
  const routes: Readonly<Record<string, (body: unknown) => unknown>> = {
    [`GET ${CONTROL.status}`]: () => lab.status(),
    [`POST ${CONTROL.join}`]: (body): JoinAnswer => {
      const { namespace, pod, container } = body as JoinRequest;
      return { args: lab.joinCommand(namespace, pod, container) };
    },
    [`POST ${CONTROL.enrollment}`]: (body) => {
      const { target, on } = body as EnrollmentRequest;
      lab.setEnrollment(target, on);
      return {};
    },
    [`POST ${CONTROL.release}`]: () => {
      released = true;
      return {};
    },
    [`POST ${CONTROL.down}`]: async () => {
      await down();
      return {};
    },
  };
  const server = createServer((request, response) => {
    const name = `${request.method} ${request.url}`;
    if (name === `POST ${CONTROL.attach}`) {
      response.on("close", () => {
        if (!released) void down();
      });
      response.writeHead(200).flushHeaders();
      return;
    }
    void answer(request, response, routes[name]);
  });
  // A request to attach stays open, without further bytes, for as long as the lab is up.
  server.requestTimeout = 0;
  const mask = process.umask(0o177);
  server.listen(socket);
  await once(server, "listening");
  process.umask(mask);
  chmodSync(socket, 0o600);
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  route: ((body: unknown) => unknown) | undefined,
): Promise<void> {
  let status = 200;
  let result: unknown;
  try {
    if (route === undefined) throw new AmbitError({ code: "not-found", kind: "user", what: "there is no such call" });
    result = await route(await readBody(request));
  } catch (error) {
    status = error instanceof AmbitError && error.kind === "user" ? 400 : 500;
    result = failureOf(error);
  }
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(result));
}

export function failureOf(error: unknown): ControlFailure {
  if (!(error instanceof AmbitError)) return { code: "internal", kind: "system", what: messageOf(error) };
  const { code, kind, message, why, remedy } = error;
  const cause = error.cause === undefined ? undefined : messageOf(error.cause);
  return { code, kind, what: message, why: [why, cause].filter(Boolean).join(": ") || undefined, remedy };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = "";
  request.setEncoding("utf8");
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_BODY)
      throw new AmbitError({ code: "too-large", kind: "user", what: "the request is too large" });
  }
  return text === "" ? {} : (JSON.parse(text) as unknown);
}
