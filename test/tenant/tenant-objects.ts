import { fc } from "../support/random.ts";
import { mostly, nastyText, nastyValue } from "./nasty.ts";
import { regex } from "./regex.ts";
import {
  NODE_ADDRESSES,
  OUTSIDE_ADDRESSES,
  PORTS,
  VICTIM_PODS,
  VICTIM_SERVICE_IPS,
  VICTIM_SERVICES,
} from "./victims.ts";

// Whatever one tenant may write into its namespace in a cluster: the API server gives UIDs and times, and kubelets the status
// of Pods.

export const TENANT = "mallory";

type Json = Readonly<Record<string, unknown>>;
type Arbitrary = fc.Arbitrary<unknown>;

const AGE = "2026-06-01T00:00:00Z";
const OWN_NAMES = ["mallory", "evil", "web"] as const;

const name = fc.constantFrom<string>(...OWN_NAMES);
const otherNamespace = fc.constantFrom(TENANT, "shop", "bank", "plain", "istio-system", "default");
const victimAddress = fc.constantFrom(
  ...VICTIM_PODS.flatMap(({ addresses }) => addresses),
  ...VICTIM_SERVICE_IPS,
  ...NODE_ADDRESSES,
  ...OUTSIDE_ADDRESSES,
);
const ownAddress = fc.constantFrom("10.244.1.200", "10.244.1.201", "10.244.2.200", "10.96.0.200", "10.96.0.201");
const oddAddress = fc.constantFrom(
  ...["0.0.0.0", "127.0.0.1", "255.255.255.255", "169.254.169.254", "224.0.0.1", "::", "::1", "fe80::1", "ff02::1"],
  ...["::ffff:10.244.1.10", "fd00:1:0:0:0:0:0:10", "010.244.1.10", "10.244.1.10/32"],
);
const address = fc.oneof({ weight: 3, arbitrary: victimAddress }, ownAddress, oddAddress);
/** A Service acts for the whole cluster, so one for an address that nobody has is no harm. */
const virtualAddress = address.filter((text) => !OUTSIDE_ADDRESSES.includes(text));
const port = fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...PORTS) }, fc.integer({ min: -1, max: 70_000 }));
const portName = fc.constantFrom("http", "http2", "grpc", "tcp", "tcp-admin", "main", "", "mongo", "x");
const protocol = fc.constantFrom(undefined, "TCP", "TCP", "UDP", "SCTP");
const labels = fc.dictionary(
  fc.constantFrom(
    "app",
    "ambit.dev/dataplane-mode",
    "ambit.dev/workload",
    "version",
    "service.istio.io/canonical-name",
  ),
  mostly(fc.constantFrom("web", "mallory", "evil", "db", "ambient", "none", "a|b", "")),
  { maxKeys: 3 },
);
const selector = labels;

/** An object with some of its fields left out. */
function some(fields: Readonly<Record<string, Arbitrary>>): fc.Arbitrary<Json> {
  return fc.record(Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, mostly(value)])), {
    requiredKeys: [],
  });
}

/** An object with all its fields, but for those that `mostly` spoils. */
function all(fields: Readonly<Record<string, Arbitrary>>): fc.Arbitrary<Json> {
  return fc.record(Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, mostly(value)])));
}

function list(value: Arbitrary, maxLength = 3): Arbitrary {
  return fc.array(mostly(value), { maxLength });
}

function object(apiVersion: string, kind: string, spec: Arbitrary, rest: Json = {}): fc.Arbitrary<Json> {
  return fc
    .record({ name, labels, annotations: fc.constantFrom({}, { "istio.io/dry-run": "true" }), spec: mostly(spec) })
    .map(({ name: own, labels: written, annotations, spec: said }) => ({
      apiVersion,
      kind,
      metadata: { name: own, namespace: TENANT, labels: written, annotations, creationTimestamp: AGE },
      spec: said,
      ...rest,
    }));
}

const namespace: fc.Arbitrary<Json> = labels.map((written) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: TENANT, labels: written },
}));

const probe = some({
  httpGet: some({ host: address, port, path: fc.constant("/") }),
  tcpSocket: some({ host: address, port }),
});
const container = all({
  name: fc.constant("app"),
  image: fc.constant("app"),
  ports: list(some({ name: portName, containerPort: port, protocol })),
  readinessProbe: probe,
});

const pod: fc.Arbitrary<Json> = fc
  .record({
    index: fc.integer({ min: 0, max: 1 }),
    node: fc.constantFrom("node-1", "node-2"),
    labels,
    hostNetwork: fc.constantFrom(undefined, undefined, undefined, true),
    account: mostly(fc.constantFrom("mallory", "client", "default")),
    containers: list(container, 2),
    owner: some({ kind: fc.constantFrom("ReplicaSet", "Job"), name: nastyText, controller: fc.constant(true) }),
    annotations: fc.dictionary(
      fc.constantFrom("ambit.dev/netns", "ambit.dev/uid"),
      fc.constantFrom("/run/netns/web-1", "/run/netns/client", "uid-web-1", "/etc/passwd"),
      { maxKeys: 1 },
    ),
  })
  .map(({ index, node, labels: written, hostNetwork, account, containers, owner, annotations }) => {
    const own = OWN_NAMES[index] ?? TENANT;
    const onNode = node === "node-1" ? 1 : 2;
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        ...{ name: own, namespace: TENANT, uid: `uid-${TENANT}-${own}`, labels: written, annotations },
        ...{ ownerReferences: [owner], creationTimestamp: AGE },
      },
      spec: { nodeName: node, hostNetwork, serviceAccountName: account, containers },
      status: {
        phase: "Running",
        podIPs: [{ ip: hostNetwork === true ? NODE_ADDRESSES[onNode - 1] : `10.244.${onNode}.${200 + index}` }],
      },
    };
  });

const service: fc.Arbitrary<Json> = object(
  "v1",
  "Service",
  some({
    type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    clusterIP: fc.oneof(fc.constant("None"), virtualAddress),
    clusterIPs: list(virtualAddress),
    externalIPs: list(virtualAddress),
    externalName: nastyText,
    loadBalancerIP: virtualAddress,
    selector,
    publishNotReadyAddresses: fc.boolean(),
    ports: list(
      some({
        name: portName,
        port,
        targetPort: fc.oneof(port as Arbitrary, portName),
        protocol,
        appProtocol: fc.oneof(fc.constantFrom("http", "tcp", "kubernetes.io/h2c", "mysql"), nastyText),
        nodePort: port,
      }),
    ),
  }),
);

const endpoint = all({
  addresses: list(address),
  conditions: some({ ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() }),
  nodeName: fc.constantFrom("node-1", "node-2"),
  targetRef: some({
    kind: fc.constant("Pod"),
    name: fc.constantFrom("mallory", "evil", "web-1", "client"),
    namespace: otherNamespace,
    uid: fc.constantFrom("uid-web-1", "uid-client", `uid-${TENANT}-mallory`),
  }),
});

const slicePorts = list(some({ name: portName, port, protocol, appProtocol: portName }));

function slice(own: string, labelled: string, content: Json): Json {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${own}-slice`,
      namespace: TENANT,
      labels: { "kubernetes.io/service-name": labelled },
      creationTimestamp: AGE,
    },
    ...content,
  };
}

const endpointSlice: fc.Arbitrary<Json> = fc
  .record({
    own: name,
    labelled: fc.constantFrom<string>(...OWN_NAMES, ...VICTIM_SERVICES),
    addressType: mostly(fc.constantFrom("IPv4", "IPv4", "IPv6", "FQDN")),
    ports: slicePorts,
    endpoints: list(endpoint),
  })
  .map(({ own, labelled, ...content }) => slice(own, labelled, content));

/** A Service and its slice that fit together, so that what they claim reaches the compiler. */
const claim: fc.Arbitrary<readonly Json[]> = fc
  .record({
    own: name,
    headless: fc.boolean(),
    clusterIP: virtualAddress,
    name: portName,
    port: fc.constantFrom(...PORTS),
    targetPort: fc.constantFrom(...PORTS),
    addresses: fc.array(fc.oneof({ weight: 4, arbitrary: victimAddress }, ownAddress), { minLength: 1, maxLength: 3 }),
    pod: fc.constantFrom(undefined, "mallory", "evil", "web-1"),
  })
  .map(({ own, headless, clusterIP, name: portNamed, port: dialled, targetPort, addresses, pod: target }) => [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: own, namespace: TENANT, creationTimestamp: AGE },
      spec: { clusterIP: headless ? "None" : clusterIP, ports: [{ name: portNamed, port: dialled, targetPort }] },
    },
    slice(own, own, {
      addressType: "IPv4",
      ports: [{ name: portNamed, port: targetPort }],
      endpoints: addresses.map((each) => ({
        addresses: [each],
        conditions: { ready: true },
        ...(target === undefined ? {} : { targetRef: { kind: "Pod", name: target } }),
      })),
    }),
  ]);

/** A headless Service of so many ports and addresses that something may overflow. */
const huge: fc.Arbitrary<readonly Json[]> = fc
  .record({ ports: fc.integer({ min: 1, max: 100 }), addresses: fc.integer({ min: 500, max: 1_000 }) })
  .map(({ ports, addresses }) => {
    const named = Array.from({ length: ports }, (_, i) => ({ name: `p${i}`, port: 1_000 + i }));
    const ips = Array.from({ length: addresses }, (_, i) => `100.64.${i >> 8}.${i & 255}`);
    return [
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "huge", namespace: TENANT, creationTimestamp: AGE },
        spec: { clusterIP: "None", ports: named },
      },
      slice("huge", "huge", { addressType: "IPv4", ports: named, endpoints: ips.map((ip) => ({ addresses: [ip] })) }),
    ];
  });

const match = some({
  path: all({
    type: fc.constantFrom("Exact", "PathPrefix", "RegularExpression"),
    value: fc.oneof(fc.constantFrom("/", "/a", "/items/"), regex, nastyText),
  }),
  method: fc.constantFrom("GET", "POST", "CONNECT"),
  headers: list(
    all({ type: fc.constantFrom("Exact", "RegularExpression"), name: headerName(), value: fc.oneof(regex, nastyText) }),
  ),
  queryParams: list(
    all({ type: fc.constantFrom("Exact", "RegularExpression"), name: headerName(), value: fc.oneof(regex, nastyText) }),
  ),
});

function headerName(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom("x-a", "host", "x-ambit-source", "x-envoy-retry-on", ":path", "authorization", "x-forwarded-for"),
    nastyText,
  );
}

const modifier = some({
  set: list(all({ name: headerName(), value: nastyText })),
  add: list(all({ name: headerName(), value: nastyText })),
  remove: list(headerName()),
});
const filter = some({
  type: fc.constantFrom("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "URLRewrite"),
  requestHeaderModifier: modifier,
  responseHeaderModifier: modifier,
});
const serviceRef = some({
  group: fc.constant(""),
  kind: fc.constant("Service"),
  name: fc.constantFrom<string>(...OWN_NAMES, ...VICTIM_SERVICES),
  namespace: otherNamespace,
  port: fc.constantFrom(...PORTS),
  weight: fc.integer({ min: 0, max: 1_000_001 }),
  filters: list(filter, 1),
});
const duration = fc.constantFrom("0s", "1ms", "10s", "99999h", "1h1h", "-1s", "1");

const httpRoute: fc.Arbitrary<Json> = object(
  "gateway.networking.k8s.io/v1",
  "HTTPRoute",
  all({
    parentRefs: list(
      all({
        group: fc.constant(""),
        kind: fc.constant("Service"),
        name: fc.constantFrom<string>(...OWN_NAMES, "web"),
        namespace: fc.constantFrom(undefined, TENANT, "shop"),
        port: fc.constantFrom(undefined, ...PORTS),
      }),
    ),
    rules: list(
      some({
        name: nastyText,
        matches: list(match),
        filters: list(filter, 2),
        backendRefs: list(serviceRef),
        timeouts: some({ request: duration, backendRequest: duration }),
        retry: some({ codes: list(fc.integer({ min: 0, max: 1000 })), attempts: fc.nat(200), backoff: duration }),
      }),
    ),
  }),
);

/** A Service with a route whose pattern is in RE2's syntax. */
const routed: fc.Arbitrary<readonly Json[]> = fc
  .record({ own: name, value: regex, clusterIP: fc.constantFrom("10.96.0.200", "10.96.0.201") })
  .map(({ own, value, clusterIP }) => [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: own, namespace: TENANT, creationTimestamp: AGE },
      spec: { clusterIP, ports: [{ name: "http", port: 80 }] },
    },
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: own, namespace: TENANT, creationTimestamp: AGE },
      spec: {
        parentRefs: [{ group: "", kind: "Service", name: own }],
        rules: [
          {
            matches: [{ path: { type: "RegularExpression", value } }],
            backendRefs: [{ name: own, port: 80 }],
          },
        ],
      },
    },
  ]);

const text = fc.oneof(
  nastyText,
  fc.constantFrom("shop", "bank", "mallory", "*", "GET", "/items*", "8080", "10.0.0.0/8"),
);
const texts = list(text, 4);
const both = (...fields: readonly string[]): Readonly<Record<string, Arbitrary>> =>
  Object.fromEntries(
    fields.flatMap((field) => [
      [field, texts],
      [`not${field.charAt(0).toUpperCase()}${field.slice(1)}`, texts],
    ]),
  );
const targets: Readonly<Record<string, Arbitrary>> = {
  selector: some({ matchLabels: selector }),
  targetRefs: list(serviceRef, 2),
};

const authorizationPolicy: fc.Arbitrary<Json> = object(
  "security.istio.io/v1",
  "AuthorizationPolicy",
  some({
    ...targets,
    action: fc.constantFrom("ALLOW", "DENY", "AUDIT", "CUSTOM"),
    rules: list(
      some({
        from: list(
          all({
            source: some(
              both("principals", "requestPrincipals", "namespaces", "serviceAccounts", "ipBlocks", "remoteIpBlocks"),
            ),
          }),
        ),
        to: list(all({ operation: some(both("hosts", "methods", "paths", "ports")) })),
        when: list(
          all({
            key: fc.oneof(
              fc.constantFrom("request.headers[x]", "request.auth.claims[a][b]", "source.ip", "destination.port"),
              nastyText,
            ),
            values: texts,
          }),
        ),
      }),
    ),
  }),
);

/** A policy of its own pods that only lacks a sane value: the reader accepts it, and the filters have to read it. */
const readablePolicy: fc.Arbitrary<readonly Json[]> = fc
  .record({
    own: name,
    action: fc.constantFrom("ALLOW", "DENY", "AUDIT"),
    field: fc.constantFrom("namespaces", "principals", "notNamespaces"),
    values: fc.array(nastyText, { minLength: 1, maxLength: 3 }),
    paths: fc.array(nastyText, { maxLength: 2 }),
  })
  .map(({ own, action, field, values, paths }) => [
    {
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata: { name: own, namespace: TENANT, creationTimestamp: AGE },
      spec: {
        action,
        rules: [
          {
            from: [{ source: { [field]: values } }],
            ...(paths.length === 0 ? {} : { to: [{ operation: { hosts: paths } }] }),
          },
        ],
      },
    },
  ]);

const requestAuthentication: fc.Arbitrary<Json> = object(
  "security.istio.io/v1",
  "RequestAuthentication",
  some({
    ...targets,
    jwtRules: list(
      some({
        issuer: fc.oneof(fc.constantFrom("https://issuer.example", "http://10.244.1.10:8080"), nastyText),
        audiences: texts,
        jwksUri: fc.oneof(
          fc.constantFrom("http://127.0.0.1:9901/", "http://192.0.2.1:10250/", "https://web.shop/keys", "file:///etc"),
          nastyText,
        ),
        jwks: fc.oneof(fc.constant('{"keys":[]}'), nastyText),
        fromHeaders: list(some({ name: headerName(), prefix: nastyText })),
        fromParams: texts,
        fromCookies: texts,
        outputPayloadToHeader: headerName(),
        outputClaimToHeaders: list(some({ header: headerName(), claim: nastyText })),
        forwardOriginalToken: fc.boolean(),
        spaceDelimitedClaims: texts,
        timeout: duration,
      }),
    ),
  }),
);

const peerAuthentication: fc.Arbitrary<Json> = object(
  "security.istio.io/v1",
  "PeerAuthentication",
  some({
    selector: some({ matchLabels: selector }),
    mtls: some({ mode: fc.constantFrom("STRICT", "PERMISSIVE", "DISABLE", "UNSET") }),
    portLevelMtls: fc.dictionary(
      fc.constantFrom("80", "8080", "0", "x", "__proto__"),
      mostly(some({ mode: fc.constantFrom("STRICT", "DISABLE") })),
      { maxKeys: 3 },
    ),
  }),
);

const backendTrafficPolicy: fc.Arbitrary<Json> = object(
  "gateway.networking.x-k8s.io/v1alpha1",
  "XBackendTrafficPolicy",
  some({
    targetRefs: list(serviceRef),
    retryConstraint: some({
      budget: some({ percent: fc.integer({ min: -1, max: 200 }), interval: duration }),
      minRetryRate: some({ count: fc.integer({ min: -1, max: 2_000_000 }), interval: duration }),
    }),
  }),
);

const referenceGrant: fc.Arbitrary<Json> = object(
  "gateway.networking.k8s.io/v1",
  "ReferenceGrant",
  some({
    from: list(
      some({
        group: fc.constant("gateway.networking.k8s.io"),
        kind: fc.constantFrom("HTTPRoute", "Service"),
        namespace: otherNamespace,
      }),
    ),
    to: list(some({ group: fc.constant(""), kind: fc.constant("Service"), name: fc.constantFrom("web", "ledger") })),
  }),
);

const single = fc.oneof(
  namespace,
  { weight: 3, arbitrary: pod },
  { weight: 2, arbitrary: service },
  { weight: 2, arbitrary: endpointSlice },
  { weight: 2, arbitrary: httpRoute },
  { weight: 2, arbitrary: authorizationPolicy },
  requestAuthentication,
  peerAuthentication,
  backendTrafficPolicy,
  referenceGrant,
);

/** One field of an object is something else altogether. */
const spoilt = fc
  .tuple(single, fc.constantFrom("spec", "status", "endpoints", "ports", "addressType", "items"), nastyValue)
  .map(([written, field, value]) => ({ ...written, [field]: value }));

const part: fc.Arbitrary<readonly Json[]> = fc.oneof(
  { weight: 100, arbitrary: single.map((one) => [one]) },
  { weight: 10, arbitrary: spoilt.map((one) => [one]) },
  { weight: 30, arbitrary: claim },
  { weight: 10, arbitrary: routed },
  { weight: 15, arbitrary: readablePolicy },
  { weight: 1, arbitrary: huge },
);

/** Mallory's namespace is in the mesh most of the time: labels and a pod that other objects may name. */
const enrolled: Json = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: TENANT, labels: { "ambit.dev/dataplane-mode": "ambient" } },
};

/** Everything that one tenant has written at one moment. */
export const tenantObjects: fc.Arbitrary<readonly Json[]> = fc
  .record({
    base: fc.constantFrom<readonly Json[]>([enrolled], [enrolled], []),
    parts: fc.array(part, { minLength: 1, maxLength: 8 }),
  })
  .map(({ base, parts }) => [...base, ...parts.flat()]);
