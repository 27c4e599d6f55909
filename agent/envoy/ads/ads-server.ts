import { chmodSync, rmSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";
import { SYSTEM_CLOCK } from "../../lib/clock.ts";
import { AmbitError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { AdsStream, type StreamRequest, type StreamResponse } from "./ads-stream.ts";
import type { Rejection } from "./kind-state.ts";
import { DirectClusters } from "./direct-clusters.ts";
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
  /** Clusters of pods dialled by their own address that were refused, as too many ports of the pod were in use. */
  readonly refusedPorts: number;
}

/** A resource may be due while its response, or an earlier step, waits for Envoy: looking again costs little, but not nothing. */
const LEAST_RETRY_MS = 200;

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
  #retry: NodeJS.Timeout | undefined;
  #pushes = 0;
  readonly #direct: DirectClusters;

  /** `inUse`: names of the clusters that Envoy uses at the moment. */
  constructor(log: Logger, inUse: () => Promise<ReadonlySet<string>>) {
    this.#log = log;
    this.#direct = new DirectClusters({
      inUse,
      log,
      give: (names) => this.#change((stream) => stream.onRequest(subscription(names))),
      take: (names) => this.#change((stream) => stream.drop("clusters", names)),
    });
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

  #change(apply: (stream: AdsStream) => void): void {
    if (this.#current === undefined) return;
    apply(this.#current);
    this.#pump?.();
  }

  #setTarget(target: PackedSnapshot): void {
    const isFirst = this.#target === undefined;
    this.#target = target;
    this.#current?.setTarget(target);
    // An Envoy from before may have come first.
    if (isFirst) this.#direct.known(this.#current?.held("clusters").filter((name) => this.#isDirect(name)) ?? []);
    this.#pump?.();
  }

  status(): AdsStatus {
    return {
      connected: this.#current !== undefined,
      rejections: this.#current?.rejections ?? [],
      pushes: this.#pushes,
      refusedPorts: this.#direct.refused,
    };
  }

  /** Wakes the stream when it may send a rejected resource again. */
  #retryLater(stream: AdsStream): void {
    clearTimeout(this.#retry);
    const { retryAt } = stream;
    if (retryAt === undefined) return;
    const wait = Math.max(LEAST_RETRY_MS, retryAt - SYSTEM_CLOCK.now());
    this.#retry = setTimeout(() => this.#pump?.(), wait);
  }

  close(): void {
    this.#direct.close();
    clearTimeout(this.#retry);
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
      if (this.#current !== stream) return;
      if (stream.converged) for (const resolve of this.#waiting.splice(0)) resolve();
      this.#retryLater(stream);
    };
    this.#current = stream;
    this.#pump = pump;
    this.#direct.clear();
    const end = (): void => {
      if (this.#current !== stream) return;
      this.#current = undefined;
      this.#pump = undefined;
      this.#direct.clear();
      clearTimeout(this.#retry);
    };
    call.on("data", (request: DeltaDiscoveryRequest) => {
      if (this.#receive(stream, request)) pump();
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

  /** Returns whether there may be something to send now. */
  #receive(stream: AdsStream, request: DeltaDiscoveryRequest): boolean {
    const kind = kindOf(request.typeUrl);
    if (kind === undefined) {
      this.#log.warn({ type: request.typeUrl }, "Envoy requests a type that the agent does not serve");
      return false;
    }
    const error = request.errorDetail?.message;
    if (error !== undefined)
      this.#log.warn({ kind, error }, "Envoy rejected a configuration and keeps the last one that it accepted");
    const subscribe = kind === "clusters" ? this.#bounded(stream, request) : request.resourceNamesSubscribe;
    // All that it asks for waits. A flood of such requests must cost the agent little.
    if (subscribe.length === 0 && isForNamesAlone(request)) return false;
    stream.onRequest({
      kind,
      subscribe,
      unsubscribe: request.resourceNamesUnsubscribe,
      initialVersions: request.initialResourceVersions,
      nonce: request.responseNonce,
      error,
    });
    return true;
  }

  /** The clusters among those that Envoy asks for which it may have at once. */
  #bounded(stream: AdsStream, request: DeltaDiscoveryRequest): readonly string[] {
    if (stream !== this.#current) return request.resourceNamesSubscribe;
    this.#direct.gone(request.resourceNamesUnsubscribe);
    this.#direct.known(Object.keys(request.initialResourceVersions).filter((name) => this.#isDirect(name)));
    const direct = new Set(request.resourceNamesSubscribe.filter((name) => this.#isDirect(name)));
    const admitted = new Set(this.#direct.ask([...direct]));
    return request.resourceNamesSubscribe.filter((name) => !direct.has(name) || admitted.has(name));
  }

  #isDirect(name: string): boolean {
    return this.#target?.clusters.get(name)?.isDirect === true;
  }
}

/** A request for clusters, by their names alone. */
function subscription(names: readonly string[]): StreamRequest {
  return { kind: "clusters", subscribe: names, unsubscribe: [], initialVersions: {}, nonce: "", error: undefined };
}

function isForNamesAlone(request: DeltaDiscoveryRequest): boolean {
  const { resourceNamesSubscribe, resourceNamesUnsubscribe, initialResourceVersions, responseNonce } = request;
  const others = resourceNamesUnsubscribe.length + Object.keys(initialResourceVersions).length;
  return resourceNamesSubscribe.length > 0 && others === 0 && responseNonce === "";
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
