/** The control API of a lab: HTTP with JSON bodies on its unix socket. Failures have status 4xx or 5xx and a `ControlFailure`. */
export const CONTROL = {
  /** GET: LabStatus */
  status: "/status",
  /** POST `JoinRequest`: `JoinAnswer` */
  join: "/join",
  /** POST `EnrollmentRequest`: {} */
  enrollment: "/enrollment",
  /** POST: the lab goes down when this request's connection ends before its answer does; there is none. */
  attach: "/attach",
  /** POST: {}; attachments no longer matter */
  release: "/release",
  /** POST: {} once everything is removed */
  down: "/down",
} as const;

export interface JoinRequest {
  readonly namespace: string;
  readonly pod: string;
  /** Default: the pod's first one. */
  readonly container?: string | undefined;
}

export interface JoinAnswer {
  /** Arguments of /bin/sh that run what is appended inside the container. */
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
