import { ALICE, allow, ANY, audit, type AuthzCase, cases, deny, from, to, when } from "../case.ts";

const tcp = { protocol: "tcp" } as const;

/** TCP connections (Istio, "Authorization for TCP traffic"): ALLOW needs what HTTP would say, DENY goes without it. */
export const CONNECTIONS: readonly AuthzCase[] = cases(
  ["TCP by principal", allow(from(`principals: [${ALICE}]`)), tcp, "allowed"],
  ["TCP by another principal", allow(from(`principals: [${ALICE}]`)), { ...tcp, from: "bob" }, "denied"],
  ["TCP from nobody known", allow(from("principals: ['*']")), { ...tcp, from: "stranger" }, "denied"],
  ["TCP by namespace", allow(from("namespaces: [ops]")), { ...tcp, from: "carol" }, "allowed"],
  ["TCP by service account", allow(from("serviceAccounts: [alice]")), { ...tcp, from: "carol" }, "denied"],
  ["TCP by address", allow(from("ipBlocks: [$alice]")), tcp, "allowed"],
  ["TCP by another address", deny(from("notIpBlocks: [$alice]")), { ...tcp, from: "bob" }, "denied"],
  ["TCP by port", allow(to('ports: ["9000"]')), tcp, "allowed"],
  ["TCP by another port", allow(to('ports: ["8080"]')), tcp, "denied"],
  ["TCP by destination.port", deny(when("destination.port", 'values: ["9000"]')), tcp, "denied"],
  ["TCP by destination.ip", allow(when("destination.ip", "values: [$web]")), tcp, "allowed"],
  ["TCP, ALLOW anything", allow(ANY), { ...tcp, from: "stranger" }, "allowed"],
  ["TCP, ALLOW nothing", allow(""), tcp, "denied"],
  ["TCP, ALLOW by method never matches", allow(to("methods: [GET]")), tcp, "denied"],
  ["TCP, ALLOW by method and port never matches", allow(to('methods: [GET], ports: ["9000"]')), tcp, "denied"],
  ["TCP, ALLOW by header never matches", allow(when("request.headers[x]", "notValues: [y]")), tcp, "denied"],
  ["TCP, ALLOW by token never matches", allow(from("notRequestPrincipals: [x]")), tcp, "denied"],
  [
    "TCP, ALLOW by HTTP in one of two operations never matches",
    allow('[{ to: [{ operation: { methods: [GET] } }, { operation: { ports: ["9000"] } }] }]'),
    tcp,
    "denied",
  ],
  [
    "TCP, another rule of the same ALLOW",
    allow('[{ to: [{ operation: { paths: [/x] } }] }, { to: [{ operation: { ports: ["9000"] } }] }]'),
    tcp,
    "allowed",
  ],
  ["TCP, DENY by method is DENY of all", deny(to("methods: [GET]")), tcp, "denied"],
  ["TCP, DENY by method and port is DENY by port", deny(to('methods: [GET], ports: ["9000"]')), tcp, "denied"],
  ["TCP, DENY by method and another port", deny(to('methods: [GET], ports: ["8080"]')), tcp, "allowed"],
  [
    "TCP, DENY by principal and path is DENY by principal",
    deny("[{ from: [{ source: { principals: ['*/sa/bob'] } }], to: [{ operation: { paths: [/x] } }] }]"),
    { ...tcp, from: "bob" },
    "denied",
  ],
  [
    "TCP, DENY by another principal and path",
    deny("[{ from: [{ source: { principals: ['*/sa/bob'] } }], to: [{ operation: { paths: [/x] } }] }]"),
    tcp,
    "allowed",
  ],
  ["TCP, DENY by token is DENY of all", deny(from("requestPrincipals: ['*']")), tcp, "denied"],
  [
    "TCP, DENY by header and address",
    deny("[{ when: [{ key: 'request.headers[x]', values: [y] }, { key: source.ip, values: [$bob] }] }]"),
    tcp,
    "allowed",
  ],
  ["TCP, connection.sni without TLS", allow(when("connection.sni", "values: [x.example]")), tcp, "denied"],
  ["TCP, DENY by connection.sni is DENY of all", deny(when("connection.sni", "values: [x.example]")), tcp, "denied"],
  ["TCP, ALLOW all but a connection.sni never matches", allow(when("connection.sni", "notValues: [x]")), tcp, "denied"],
  ["TCP, DENY before ALLOW", allow(ANY) + deny(from("namespaces: [shop]")), tcp, "denied"],
  ["TCP, AUDIT", audit(to("methods: [GET]")), tcp, "allowed"],
);
