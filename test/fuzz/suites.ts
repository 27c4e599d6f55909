import { connectionLoad } from "./connection-load.ts";
import { requests } from "./requests.ts";
import type { Suite } from "./suite.ts";
import { tenants } from "./tenants.ts";
import { tenantsLab } from "./tenants-lab.ts";

/** All suites, in the order in which they run. */
export const SUITES: readonly Suite[] = [tenants, tenantsLab, requests, connectionLoad];
