/** A lab's control API: HTTP with JSON bodies on its unix socket. Failures have status 4xx or 5xx and a `ControlFailure`. */
export const CONTROL = {
  /** GET: LabStatus */
  status: "/status",
  /** POST `JoinRequest`: `JoinAnswer` */
  join: "/join",
  /** POST `EnrollmentRequest`: {} */
  enrollment: "/enrollment",
  /** POST: the answer never ends. When the connection does, the lab goes down. */
  attach: "/attach",
  /** POST: {}. From now on attachments have no effect. */
  release: "/release",
  /** POST: {} once everything is removed. */
  down: "/down",
} as const;

export interface JoinRequest {
  readonly namespace: string;
  readonly pod: string;
  /** Default: the pod's first container. */
  readonly container?: string | undefined;
}

export interface JoinAnswer {
  /** Arguments of /bin/sh that run a command inside the container: append the command. */
  readonly args: readonly string[];
}

export interface EnrollmentRequest {
  /** A namespace, or `namespace/pod`. */
  readonly target: string;
  readonly on: boolean;
}

export interface ControlFailure {
  readonly code: string;
  readonly kind: "user" | "system";
  readonly what: string;
  readonly why?: string | undefined;
  readonly remedy?: string | undefined;
}
