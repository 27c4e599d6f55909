import { chmodSync, rmSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";
import { AmbitError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { AdsStream, type Rejection, type StreamResponse } from "./ads-stream.ts";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
} from "../../xds/gen/envoy/service/discovery/v3/discovery_pb.ts";
import { create, fromBinary, toBinary } from "../../xds/proto.ts";
import { noneAccepted, packSecrets, packSnapshot, type PackedSnapshot } from "./resources.ts";
import { kindOf, urlOf, type XdsSnapshot } from "../../xds/snapshot.ts";

export interface AdsStatus {
  readonly connected: boolean;
  readonly rejections: readonly Rejection[];
  /** Responses sent since the start. */
  readonly pushes: number;
}

type Call = grpc.ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;

const SERVICE: grpc.ServiceDefinition = {
  deltaAggregatedResources: {
    path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: DeltaDiscoveryRequest) => buffer(toBinary(DeltaDiscoveryRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(DeltaDiscoveryRequestSchema, bytes),
    responseSerialize: (message: DeltaDiscoveryResponse) => buffer(toBinary(DeltaDiscoveryResponseSchema, message)),
    responseDeserialize: (bytes: Buffer) => fromBinary(DeltaDiscoveryResponseSchema, bytes),
  },
};

/** Serves one Envoy over a unix socket (mode 0600). An Envoy that reconnects tells its versions and receives only the difference. */
export class AdsServer {
  readonly #log: Logger;
  // A reconnect carries the versions of all resources: in a large mesh more than the 4 MiB that grpc-js accepts by default.
  readonly #server = new grpc.Server({
    "grpc.max_receive_message_length": 64 << 20,
    "grpc.max_send_message_length": -1,
  });
  readonly #accepted = noneAccepted();
  #target: PackedSnapshot | undefined;
  /** The newest stream. An older one belongs to an Envoy that is ending. */
  #current: AdsStream | undefined;
  #pump: (() => void) | undefined;
  #waiting: (() => void)[] = [];
  #pushes = 0;

  constructor(log: Logger) {
    this.#log = log;
    this.#server.addService(SERVICE, { deltaAggregatedResources: (call: Call) => this.#accept(call) });
  }

  async start(socketPath: string): Promise<void> {
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(`unix:${socketPath}`, grpc.ServerCredentials.createInsecure(), (error) => {
        if (error === null) return resolve();
        reject(
          new AmbitError({
            code: "ads-socket",
            kind: "system",
            what: `cannot listen on ${socketPath}`,
            remedy: "check that its folder is writable, and that the path is shorter than 108 bytes",
            cause: error,
          }),
        );
      });
    });
    chmodSync(socketPath, 0o600);
  }

  /** Sends this snapshot to Envoy. `converged` resolves when Envoy has it, or a newer one. */
  publish(snapshot: XdsSnapshot): { readonly converged: Promise<void> } {
    const converged = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#setTarget(packSnapshot(snapshot));
    return { converged };
  }

  /** Sends certificates at once. The snapshot before them may need them to converge, so they must not wait for it. */
  publishSecrets(secrets: XdsSnapshot["secrets"]): void {
    if (this.#target !== undefined) this.#setTarget({ ...this.#target, secrets: packSecrets(secrets) });
  }

  #setTarget(target: PackedSnapshot): void {
    this.#target = target;
    this.#current?.setTarget(target);
    this.#pump?.();
  }

  status(): AdsStatus {
    return {
      connected: this.#current !== undefined,
      rejections: this.#current?.rejections ?? [],
      pushes: this.#pushes,
    };
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #accept(call: Call): void {
    const stream = new AdsStream(this.#accepted);
    if (this.#target !== undefined) stream.setTarget(this.#target);
    let blocked = false;
    const pump = (): void => {
      while (!blocked) {
        const responses = stream.next();
        if (responses.length === 0) break;
        for (const response of responses) {
          this.#pushes++;
          // grpc-js buffers without limit, so no further response is made until the stream has drained.
          if (!call.write(encode(response))) blocked = true;
        }
      }
      if (this.#current === stream && stream.converged) for (const resolve of this.#waiting.splice(0)) resolve();
    };
    this.#current = stream;
    this.#pump = pump;
    const end = (): void => {
      if (this.#current !== stream) return;
      this.#current = undefined;
      this.#pump = undefined;
    };
    call.on("data", (request: DeltaDiscoveryRequest) => {
      this.#receive(stream, request);
      pump();
    });
    call.on("drain", () => {
      blocked = false;
      pump();
    });
    call.on("end", () => {
      end();
      call.end();
    });
    call.on("cancelled", end);
    call.on("error", end);
  }

  #receive(stream: AdsStream, request: DeltaDiscoveryRequest): void {
    const kind = kindOf(request.typeUrl);
    if (kind === undefined) {
      this.#log.warn({ type: request.typeUrl }, "Envoy requests a type that the agent does not serve");
      return;
    }
    const error = request.errorDetail?.message;
    if (error !== undefined)
      this.#log.warn({ kind, error }, "Envoy rejected a configuration and keeps the last one that it accepted");
    stream.onRequest({
      kind,
      subscribe: request.resourceNamesSubscribe,
      unsubscribe: request.resourceNamesUnsubscribe,
      initialVersions: request.initialResourceVersions,
      nonce: request.responseNonce,
      error,
    });
  }
}

function encode({ kind, nonce, resources, removed }: StreamResponse): DeltaDiscoveryResponse {
  return create(DeltaDiscoveryResponseSchema, {
    typeUrl: urlOf(kind),
    nonce,
    resources: resources.map(({ name, version, body }) => ({ name, version, resource: body })),
    removedResources: [...removed],
  });
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
